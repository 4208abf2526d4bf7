"""Words that people use for one another: a reference says ``severance``, an answer ``redundancy pay``."""

GROUPS = """
acquire purchase buy bought acquisition purchased takeover
sell sold sale divest divestiture dispose disposal
spin spun
hold held keep kept retain remain stay
stake ownership interest
employee staff worker workforce personnel headcount
severance redundancy layoff dismissal
bonus incentive
compensation pay remuneration salary wage
lawsuit litigation suit claim
crash accident collision
freight transportation shipping logistics transport
commodity materials raw
content programming
plant factory facility site
close shut closure shutdown
resign resignation departure stepped quit
cost expense expenditure spending spend
many multiple numerous several various
revenue sales turnover topline
profit income earnings
customer client buyer consumer
supplier vendor provider
region geography area territory market
segment division business unit
debt borrowing indebtedness borrow borrowed
bond securities note
repay repayment repaid redeem redemption
loan credit lend lent
repurchase buyback
shareholder stockholder investor
share stock equity
board director
auditor accountant
recur recurring recurrent
vehicle car automobile
aircraft airplane plane jet
ship vessel fleet boat
begin began start commence commencement launch
end finish complete completion terminate termination conclude
stop halt cease suspend suspension discontinue
delay disruption
show display indicate demonstrate
help assist assistance support aid
need require requirement necessary must mandatory compulsory
permit allow permission
approve approval authorise authorize authorisation authorization consent
forbid forbidden prohibit ban banned prohibited
restrict restriction control limit limitation cap maximum
return refund
resume resumption
issue problem
error mistake fault bug
fix repair
remove delete removal deletion
choose select pick selection chosen
change modify modification alter amend amendment
replace replacement substitute
build construct built construction
make produce manufacture made production
big large major significant substantial considerable main primary principal key chief
small minor slight little
quick fast rapid
new recent latest
old former previous prior earlier
extend extension prolong
move relocate relocation transfer
inform notify tell told notification notice alert
send sent submit submission
receive get got obtain gain
give gave provide grant
job position role
doctor physician
medicine drug medication
illness disease sickness
nausea sick
tired fatigue tiredness drowsiness drowsy
inflation inflationary
tax taxation
subscription licence license membership
password passcode passphrase
film movie
author writer wrote write written
city town
country nation
war conflict
king monarch
flood flooding floodwater
storm hurricane
erode erosion undermine undermined
people person persons individual
child children kid
government federal
law legislation statute
fee charge
price pricing
computer pc
gaming game games
chip microprocessor semiconductor soc
cpu processor
gpu graphics
store shop outlet
home house
photo picture image
damage harm injury
risk danger hazard
aim goal objective purpose
method approach technique
result outcome consequence
depend rely reliance reliant dependent dependence
request apply application ask
immediately instantly promptly away
free gratis complimentary
add introduce addition added
retire retirement decommission
plan schedule intend expect
ratably evenly straight
period term duration
eligible qualify entitled eligibility
breach violate violation
catch spread transmit transmission passed contagious
double twice
demand appetite
weak soft sluggish
strong robust solid healthy
driver fuel boost
open inaugurate
attend attendance participate participation
train training course
check verify examine inspect review
invoice bill
payment paid
holiday vacation leave
email mail
login signin
phone telephone mobile
screen monitor
device machine
user member
backup copy
download install installation
setting option configuration
encrypt encryption encrypted
water rain
pain ache sore
fever temperature
patient sufferer
swelling swollen
stomach belly abdomen
rash eruption
tablet pill
swallow ingest
newborn baby infant
elderly older
"""
"""One group a line; a word stands in one of them."""
