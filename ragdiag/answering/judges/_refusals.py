"""What one says who does not answer, by language: the speaker is unable, or the source lacks what was asked."""

from __future__ import annotations

import re

_ADVERB = r"(?:\w+ly )?"
_SOURCE = (
    r"(?:context|documents?|documentation|text|passages?|filings?|reports?|excerpts?|information|statements?|data|sources?|pages?"
    r"|article|policy|snippets?|leaflet|manual|guide|handbook|transcript|release|knowledge base|material|10-[kq]|i|we)"
)
_TELLS = (
    r"(?:determin|answer|provid|find|calculat|comput|say|tell|locat|assess|identif|ascertain|access|verif|conclud|confirm|infer)"
)
_ANSWER = (
    r"(?:answers?|figures?|numbers?|dates?|names?|details?|information|advice|opinions?|responses?|replies|reply|statements?"
    r"|guarantees?|estimates?|yes or no|recommendations?|explanations?|conclusions?|this|that|it)\b"
)
_NO_HELP = (
    r"(?:(?:be|been) (?:certain|sure|definite|specific|of (?:any )?(?:help|assistance))|comment|advise|speculate|elaborate|guess"
    r"|respond|reply|help|assist|vouch|pinpoint|ascertain|establish"
    rf"|(?:give|offer|share|disclose|reveal|make|state|name|supply|recall|discuss|speak to) "
    rf"(?:(?:you|anyone|out|with|any|an?|the|your|such|more|further|definite|definitive|exact|reliable|clear|firm|precise"
    rf"|specific|confident|correct|certain|personal|individual) )*{_ANSWER})"
)
"""What one who is unable does not do: nothing of this is done to things, as ``give refunds`` is."""

_OPEN = r"(?:clear|certain|evident|obvious|apparent|known|established|settled|stated)"
_GIVEN = (
    r"(?:provided|mentioned|specified|disclosed|available|stated|given in|found in|contained in"
    r"|included in the (?:context|provided))"
)

UNABLE_ENGLISH = (
    rf"\b(?:can(?:not|'t| not)|could(?: not|n't)|unable to|(?:not |im)possible to) (?:be )?{_ADVERB}{_TELLS}",
    r"\bi(?: do|'m| am| have)?(?: not|n't) (?:\w+ ){0,2}?(?:know|sure|certain|aware|have)\b(?! (?:that|of any)\b)",
    r"\b(?:don't|do not|doesn't|does not) know\b|\bno (?:idea|clue)\b|\bbeyond (?:my|the scope of)\b",
    r"(?:\b(?:no|not enough|insufficient|not sufficient|lack(?:s|ing)?(?: of)?)"
    r"|n't (?:enough|sufficient)) (?:\w+ ){0,2}(?:information|data"
    r"|context|details?)\b",
    r"\b(?:i|we) (?:would|will|'d) need\b|\bplease provide\b|\bno (?:answer|way to (?:know|tell))\b",
    r"\b(?:(?:was|were|am|been)(?: not|n't)|not been) able to (?:\w+ ){0,1}(?:find|determine|locate|answer"
    r"|tell|identify|confirm|see)",
    r"\bcan(?:not|'t) (?:help|assist)\b|\b(?:hard|difficult) to (?:say|tell|know) (?:without|from|for)\b|^\W*(?:idk|dunno)\W*$",
    r"\b(?:context|information|data|evidence)\b(?: \w+)? (?:is|are) (?:\w+ )?(?:insufficient|lacking|missing|incomplete)\b",
    r"\b(?:unanswerable|unknowable|cannot answer|can't answer)\b",
    rf"\b(?:can(?:not|'t| not)|could(?: not|n't)|(?:unable|not able|not (?:allowed|permitted|authori[sz]ed)"
    rf"|not in a position|not at liberty) to|(?:am|are) not (?:the right one|qualified) to) (?:\w+ly |really |even )?{_NO_HELP}",
    rf"\b(?:isn't|is not|wasn't|was not|not|never) (?:\w+ly |at all |made |quite )?{_OPEN},? "
    r"(?:from (?:this|the|what)|whether|which|who|what|when|where|how|if|to me)\b",
    r"\b(?:i|we) (?:do not|don't|have not|haven't|cannot|can't|couldn't|could not) (?:\w+ )?(?:seem to )?"
    r"(?:find|see|locate|recall|remember)\b(?! (?:that|any (?:reason|need|problem)))",
    r"\b(?:i|we)(?:'d| would)? (?:prefer|rather) not (?:to )?(?:say|guess|answer|speculate)\b|\banyone's guess\b"
    r"|\b(?:your|a) question (?:cannot|can't|could not) be\b",
    r"\byou (?:would|will|'d|may|might) (?:have|need) to (?:consult|check|ask|refer|look|contact|see)\b",
    r"\b(?:is|are|remains?) (?:\w+ ){0,2}(?:unclear|unknown)\b (?:from|in|based|whether|to me)",
)
"""What names the speaker, or the question, as unable: whatever yes or no stands before it, nothing was answered."""

SILENT_ENGLISH = (
    rf"\b(?:is|are|was|were)(?: not|n't) {_ADVERB}{_GIVEN}",
    rf"^\W*not {_ADVERB}(?:{_GIVEN}|given|found|known|answerable|enough)\b",
    rf"\b{_SOURCE} (?:\w+ ){{0,4}}?(?:does|do|did|has|have)(?: not|n't) {_ADVERB}"
    r"(?:provid|mention|contain|includ|specif|stat|disclos|say|giv|list|have|know|cover|offer|address|detail"
    r"|discuss|tell|answer)",
    rf"\b{_SOURCE} (?:gives?|contains?|provides?|mentions?|states?|discloses?|lists?|have|makes?) no\b",
    rf"\bnot in the (?:{_SOURCE})\b|\bno (?:\w+ ){{0,2}}mention\b",
    r"\b(?:this|that|question|topic|matter|point) (?:is|was)(?: not|n't) (?:covered|addressed|discussed|answered)\b",
    rf"\b(?:is|are|was|were)(?: not|n't) (?:listed|shown)(?:\W*$| in (?:the|this) {_SOURCE})",
    r"\b(?:is|are|was|were)(?: not|n't) (?:in the (?:provided|given|available)|part of the (?:text|context|document))",
    r"\b(?:the|this|that|it|they) (?:\w+ )?(?:does|do|did)(?: not|n't) (?:\w+ly )?(?:mention|say|specify|state|indicate)\b",
    rf"\b{_SOURCE} (?:is|are|remains?) (?:silent|unclear)\b|^\W*(?:information|data|details?) (?:not|un)\s?available\b",
    rf"\b(?:none|neither|nothing) (?:of|in) the {_SOURCE} (?:\w+ )?"
    r"(?:mention|say|state|specif|provid|give|tell|address|cover|answer)",
    r"\bthere (?:is|was|are|were) no (?:\w+ ){0,2}(?:provided|mentioned|given|mention|reference)\b",
    r"\b(?:none|neither|nothing|not one) (?:of|in) (?:it|them|these|those|this|that|what|which|my|the|all)\b(?: [\w-]+){0,6}? "
    r"(?:mention|say|state|specif|provid|tell|address|answer|reveal|indicat|explain|disclos|identif|name[sd]?\b|gives?\b)",
    r"\bnowhere (?:\w+ ){0,4}?(?:does|do|is|are|can|mention|say|state|stated|said|tells?)\b",
    rf"\b{_SOURCE} (?:\w+ ){{0,3}}?(?:fail|omit|neglect)(?:s|ed)? to (?:mention|say|state|specif|tell|give|answer|indicate)",
    rf"\b{_SOURCE} (?:\w+ ){{0,3}}?(?:leaves?|left) (?:it|this|that|the \w+) (?:open|unclear|unsaid|unanswered)\b",
    rf"\b{_SOURCE} (?:never|nowhere) (?:\w+ )?(?:mention|say|state|specif|tell|give|answer|indicat|name|disclos)",
    r"^\W*no (?:\w+ )?(?:information|answer|mention|details?|data|evidence|passages?|results?|documents?|sources?|context)\b",
    r"^\W*(?:n/?a|none found|unknown|unclear|unspecified|undetermined|undisclosed)\W*$",
)
"""What names the source as silent: to a question for yes or no it may also be a reason for no."""

GERMAN = (
    r"\b(?:weiß|weiss|wei(?:ß|ss)) (?:ich|es|das)? ?(?:\w+ ){0,2}nicht\b|\bich weiß\b.{0,30}\bnicht\b|\bkeine ahnung\b",
    r"\bkeine (?:\w+ ){0,2}(?:informationen|information|angaben?|daten|auskunft|hinweise?|antwort|erwähnung)\b",
    r"\bnicht (?:\w+ ){0,2}(?:beantwort\w+|bekannt|angegeben|erwähnt|enthalten|genannt|ersichtlich|hervor|aufgeführt|bestimm\w+"
    r"|ermittel\w+|finden|gefunden|verfügbar|sagen|feststellen)\b",
    r"\b(?:nicht genügend|unzureichende|zu wenig) (?:\w+ )?(?:informationen|angaben|daten)\b"
    r"|\bliegen mir (?:\w+ ){0,3}(?:nicht|keine)\b",
    r"\bbin (?:ich )?mir (?:\w+ ){0,2}nicht sicher\b",
    r"\b(?:lässt|lassen) sich\b.{0,30}\bnicht\b|\b(?:steht|findet sich) (?:\w+ ){0,2}nichts\b",
    r"\bgeht (?:\w+ ){0,6}nicht hervor\b|\bnicht klar,? (?:ob|wer|wie|wann|was|welche[rs]?|wo)\b|\bunklar\b",
    r"\b(?:kann|können|darf|dürfen|vermag) (?:(?:ich|wir|dazu|hierzu|darüber|ihnen|dir|euch|da|leider|es|das)[ ,]+){1,4}"
    r"(?:\w+ ){0,4}?(?:nicht|nichts|keine?n?)\b",
    r"\b(?:ich|wir) (?:kann|können|darf|dürfen|möchte|möchten) (?:\w+ ){0,5}?(?:nicht|nichts|keine?n?)\b"
    r"(?: \w+){0,3}? (?:sagen|beantworten|geben|nennen|mitteilen|bestätigen|helfen|weiterhelfen|beurteilen|äußern|festlegen)\b",
    r"\bnirgends\b|\bnirgendwo\b|\bnicht in der lage\b.{0,60}\b(?:beantwort|sagen|geben|helfen|nennen)",
    r"\b(?:nichts|keines?|keiner|keine) (?:davon|darin|der (?:dokumente|quellen|unterlagen|texte))\b"
    r"|\bfehlen (?:mir )?(?:\w+ ){0,3}(?:angaben|informationen|daten)\b",
)
FRENCH = (
    r"\bje (?:ne |n')(?:sais|peux|dispose|suis|trouve|connais|parviens|vois|ai)\b.{0,20}\b(?:pas|aucun\w*)\b|\bje ne sais\b",
    r"\bje (?:ne )?sais pas\b|\baucune? (?:\w+ ){0,2}(?:informations?|donnée|mention|réponse|précision|détail|indication)\b",
    r"\b(?:ne |n')(?:\w+ )?(?:contien\w+|mention\w+|précis\w+|indiqu\w+|fourni\w*|donn\w+|permet\w*|figur\w+|trouv\w+|répond\w*)"
    r".{0,12}\b(?:pas|aucun\w*|rien)\b",
    r"\b(?:impossible de (?:répondre|déterminer|dire|savoir))\b|\bpas (?:assez|suffisamment) d'informations?\b"
    r"|\binformations? insuffisantes?\b",
    r"\b(?:je|nous) (?:ne |n')(?:\w+ )?(?:peux|pouvons|saurais|suis|sommes|souhaite)\b.{0,30}\b(?:répondre|donner|dire|confirmer"
    r"|aider|conseiller|préciser|communiquer|commenter|indiquer)\b",
    r"\bpas (?:clair|certaine?|sûre?)\b|\brien (?:dans|de tout cela|n'(?:indique|y|est))|\bnulle part\b"
    r"|\baucun des (?:documents|textes)\b",
    r"\bje n'en sais\b|\bnon (?:précisée?|mentionnée?|spécifiée?|indiquée?|disponible|renseignée?)\b",
    r"\bpas (?:mentionnée?s?|précisée?s?|indiquée?s?|fournie?s?|disponibles?|spécifiée?s?|connue?s?|trouvée?s?)\b",
)
SPANISH = (
    r"\bno (?:lo |la )?(?:sé|sabemos|puedo|podemos|dispongo|tengo|encuentro|conozco|consta|encontré|pude)\b",
    r"\bno (?:se |está |están |ha sido |es |son )?(?:\w+ )?(?:(?:menciona|indica|especifica|proporciona|precisa|detalla|facilita"
    r"|encuentra|revela)(?:n|do|da)?|contienen?|incluyen?|aparecen?|ofrecen?|dicen?|disponibles?|posible)\b",
    r"\bno (?:hay|existe\w*|se dispone de|contiene) (?:\w+ ){0,3}(?:información|datos|mención|detalles|respuesta|referencia)\b",
    r"\b(?:información|datos) insuficientes?\b|\bimposible (?:determinar|saber|responder|decir)\b"
    r"|\bsin (?:información|datos|respuesta)\b",
    r"\b(?:desconozco|ignoro)\b|\bno (?:lo|la|las|los) (?:dice|menciona|indica|especifica|precisa)n?\b",
    r"\bninguna (?:información|mención|respuesta)\b|\b(?:nada|ninguno|ninguna) (?:de|en) (?:ellos|ellas|esto|ello|los|las|el)\b",
    r"\bno (?:le |te |os |les )?(?:puedo|podemos|podría|es posible) (?:\w+ )?(?:\w*r(?:le|te|lo)?)\b"
    r"|\bno (?:está|queda|es) claro\b",
    r"\ben ning(?:una parte|ún (?:lugar|sitio|momento))\b|\bno (?:estoy|estamos) (?:segur\w+|en condiciones)\b",
)

UNABLE = re.compile("|".join(UNABLE_ENGLISH), re.IGNORECASE)
ENGLISH = re.compile("|".join((*UNABLE_ENGLISH, *SILENT_ENGLISH)), re.IGNORECASE)
FOREIGN = re.compile("|".join((*GERMAN, *FRENCH, *SPANISH)), re.IGNORECASE)
MARKED = re.compile(
    r"\b(?:nicht|keine|ahnung|wenig|unzureichende|ne|n|en|pas|non|aucune?|impossible|insuffisantes?|no|ninguna|sin"
    r"|imposible|insuficientes|desconozco|ignoro|nichts|unklar|fehlen|nirgend\w+|rien|nada|keine[nrs]?|nulle|ningun[oa]|ningún"
    r"|keiner)\b",
    re.IGNORECASE,
)
"""Words without one of which nothing in `FOREIGN` is said."""

NO_SUCH = re.compile(
    r"^\W*no (?:\w+ ){0,2}?(?:information|answer|mention|details?|data|evidence|passages?|results?|documents?|sources?|context"
    r"|records?|indication)\b",
    re.IGNORECASE,
)
"""An opening "no" that denies a thing, and does not answer the question."""


def declined(text: str) -> bool:
    """Whether `text`, as `_text.readable` gives it, says in any of the languages that it does not answer."""
    return bool(ENGLISH.search(text)) or declined_elsewhere(text)


def declined_elsewhere(text: str) -> bool:
    """Whether it says so in another language than English."""
    return bool(MARKED.search(text)) and bool(FOREIGN.search(text))


def unable(text: str) -> bool:
    """Whether it names the speaker or the question as unable, or what there is none of, so that no "no" in it answers."""
    return any(pattern.search(text) for pattern in (UNABLE, NO_SUCH)) or declined_elsewhere(text)


ABOUT = re.compile(
    rf"\b(?:{_SOURCE}) (?:\w+ ){{0,4}}?(?:mentions?|discuss(?:es)?|refers?|talks?|describes?|deals?|focus(?:es)?|touch(?:es)?"
    r"|speaks?|contains?|includes?|covers?)\b|\b(?:is|are|was|were) (?:only |merely |briefly )?mentioned\b"
    r"|\b(?:i|we) (?:can|could|only|do) (?:only )?(?:see|find)\b",
    re.IGNORECASE,
)
"""What tells what a source is about: beside a refusal it answers nothing, whatever it names."""
