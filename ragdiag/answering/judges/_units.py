"""Scales, currencies and units of quantities."""

from __future__ import annotations

SCALES = {
    **dict.fromkeys(("thousand", "thousands", "k"), 1e3),
    **dict.fromkeys(("million", "millions", "mn", "mm", "m", "mio", "mil"), 1e6),
    **dict.fromkeys(("billion", "billions", "bn", "b"), 1e9),
    **dict.fromkeys(("trillion", "trillions", "tn"), 1e12),
}
CURRENCIES = {"$": "$", "usd": "$", "us$": "$", "dollar": "$", "€": "€", "eur": "€", "euro": "€", "£": "£", "gbp": "£", "¥": "¥"}
CURRENCIES |= {"pounds": "£", "yen": "¥", "jpy": "¥", "chf": "chf", "₹": "₹", "inr": "₹", "rs": "₹"}
DATA = ("byte", "kb|kib|kilobyte", "mb|mib|megabyte", "gb|gib|gigabyte", "tb|tib|terabyte", "pb|petabyte")
RATES = ("kbps|kbit/s", "mbps|mbit/s", "gbps|gbit/s", "tbps|tbit/s")
"""By powers of 1024, and of 1000: the smallest first."""

UNITS = {  # unit -> (dimension, how many base units)
    **dict.fromkeys(("second", "sec"), ("time", 1.0)),
    **dict.fromkeys(("minute", "min"), ("time", 60.0)),
    **dict.fromkeys(("hour", "hr"), ("time", 3600.0)),
    "day": ("time", 86400.0),
    "week": ("time", 604800.0),
    "month": ("time", 86400 * 365.25 / 12),
    "year": ("time", 86400 * 365.25),
    **dict.fromkeys(("µg", "μg", "mcg", "microgram"), ("mass", 1e-6)),
    **dict.fromkeys(("mg", "milligram"), ("mass", 1e-3)),
    **dict.fromkeys(("g", "gram"), ("mass", 1.0)),
    **dict.fromkeys(("kg", "kilogram"), ("mass", 1e3)),
    **dict.fromkeys(("ml", "milliliter", "millilitre"), ("volume", 1e-3)),
    **dict.fromkeys(("l", "liter", "litre"), ("volume", 1.0)),
    **dict.fromkeys(("mm", "millimeter", "millimetre"), ("length", 1e-3)),
    **dict.fromkeys(("cm", "centimeter", "centimetre"), ("length", 1e-2)),
    **dict.fromkeys(("meter", "metre"), ("length", 1.0)),
    **dict.fromkeys(("km", "kilometer", "kilometre"), ("length", 1e3)),
    **dict.fromkeys(("mile", "mi"), ("length", 1609.344)),
    **dict.fromkeys(("foot", "feet", "ft"), ("length", 0.3048)),
    **dict.fromkeys(("inch", "inche"), ("length", 0.0254)),
    "yard": ("length", 0.9144),
    **dict.fromkeys(("°c", "° c", "degrees celsius", "degree celsius", "degrees centigrade"), ("celsius", 1.0)),
    **dict.fromkeys(("°f", "° f", "degrees fahrenheit", "degree fahrenheit"), ("fahrenheit", 1.0)),
    **dict.fromkeys(("tonne", "metric ton", "metric tonne"), ("mass", 1e6)),
    **dict.fromkeys(("kw", "kilowatt"), ("power", 1e3)),
    **dict.fromkeys(("mw", "megawatt"), ("power", 1e6)),
    **dict.fromkeys(("gw", "gigawatt"), ("power", 1e9)),
    **dict.fromkeys(("hectare", "ha"), ("area", 1e4)),
    "acre": ("area", 4046.856),
    **dict.fromkeys(("km/h", "kph", "kmh"), ("speed", 1.0)),
    **dict.fromkeys(("mph", "miles per hour"), ("speed", 1.609344)),
    "h": ("time", 3600.0),
    **{unit: ("data", 1024.0**n) for n, names in enumerate(DATA) for unit in names.split("|")},
    "bit": ("data", 0.125),
    **{unit: ("data rate", 1000.0**n) for n, names in enumerate(RATES, 1) for unit in names.split("|")},
    "decade": ("time", 86400 * 3652.5),
}
