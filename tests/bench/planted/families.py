"""Documents of one kind, made up: tables and lists with questions, which a healthy world serves, and what cuts off a header.

Each family has several documents with the same rows under other headers; what is tuned on and what is tested on share none.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import NamedTuple

from .cuts import recut
from .ground import Ground
from .records import Edit, Page, Question, Span, World

MARK = "~table-"  # in the id of a page of a family
PLACES = (
    "Harrow Aldmere Quillbay Stonefold Wexcombe Tarnley Orrin Marrowby Lowfen Birchover Cawdale Pellstone Dunmere Eastholm "
    "Fairwick Greyling Hollins Ivelow Kestrel Lanmoor Mossgate Netherby Osmund Penrose"
).split()


class Family(NamedTuple):
    """A kind of document: what each is called, its introduction, its columns and rows, and how one asks for a value."""

    name: str
    subject: str
    introduction: str
    columns: tuple[str, ...]
    rows: tuple[str, ...]
    question: str


YEARS = tuple(str(year) for year in range(2014, 2024))
MONTHS = ("January", "February", "March", "April", "June", "July", "September", "October", "November")
DEV = (
    Family("lakes", "{} Lake", "Water quality of {} by year, as measured at the outlet in August.",
           ("nitrate", "phosphorus", "oxygen", "visibility"), YEARS, "What {column} was measured at {subject} in {row}?"),
    Family("clinics", "{} Clinic", "Visits to {} by month, counted at the front desk.",
           ("appointments", "emergencies", "vaccinations", "cancellations"), MONTHS,
           "How many {column} did {subject} have in {row}?"),
    Family("tariffs", "{} Energy", "Monthly prices of {} by tariff, without tax.",
           ("standing charge", "night rate", "day rate", "exit fee"),
           ("Basic", "Family", "Green", "Fixed", "Tracker", "Business", "Student", "Prepaid"),
           "What is the {column} of {subject} on the {row} tariff?"),
    Family("archives", "{} Archive", "Holdings of {} by collection at the last count.",
           ("letters", "photographs", "ledgers", "maps"),
           ("Parish", "Harbour", "School", "Court", "Estate", "Railway", "Mill", "Market"),
           "How many {column} are in the {row} collection of {subject}?"),
)  # fmt: skip
TEST = (
    Family("schools", "{} School", "Pupils of {} by subject who sat the summer examination.",
           ("entries", "distinctions", "passes", "resits"),
           ("Biology", "History", "Latin", "Music", "Physics", "Geography", "Chemistry", "Drama"),
           "How many {column} in {row} did {subject} report?"),
    Family("routers", "{} router", "Limits of the {} by licence, as printed in its data sheet.",
           ("tunnels", "routes", "sessions", "throughput"),
           ("Entry", "Plus", "Pro", "Campus", "Carrier", "Lab", "Trial", "Edge"),
           "What limit of {column} does the {subject} have with the {row} licence?"),
    Family("ferries", "{} Ferries", "Traffic of {} by year, both directions together.",
           ("passengers", "lorries", "bicycles", "delays"), YEARS, "How many {column} did {subject} count in {row}?"),
    Family("bakeries", "{} Bakery", "Nutrition facts of {} per 100 grams, by product.",
           ("fat", "sugar", "salt", "fibre"),
           ("Rye loaf", "Brioche", "Bagel", "Focaccia", "Scone", "Pretzel", "Muffin", "Baguette"),
           "How much {column} is in the {row} of {subject}?"),
)  # fmt: skip
FORMS = ("markdown", "bars", "list")


def add_families(world: World, seed: str, name: str, documents: int = 8, asked: int = 2) -> None:
    """Two families in a world: `documents` pages each, every table in one chunk, `asked` questions on each page."""
    rng = random.Random(f"families of {seed} {name}")
    families = rng.sample(TEST if seed == "test2" else DEV, 2)
    places = rng.sample(PLACES, 2 * documents)
    for n, family in enumerate(families):
        form = rng.choice(FORMS)
        for m, place in enumerate(places[n * documents : (n + 1) * documents]):
            page, chunks, rows = _document(family, place, form, f"{family.name}{MARK}{m:02}", rng)
            world.include(page, chunks)
            for column, row, span, value in rng.sample(rows, asked):
                text = family.question.format(column=column, row=row, subject=family.subject.format(place))
                number = f"{page.id}-{len(world.questions)}"
                world.questions.append(Question(number, text, ((span,),), answer=value))


def _document(
    family: Family, place: str, form: str, name: str, rng: random.Random
) -> tuple[Page, list[Span], list[tuple[str, str, Span, str]]]:
    """A page with its table in one chunk, and ``(column, row, where it stands, value)`` of every cell."""
    subject = family.subject.format(place)
    text = f"{family.introduction.format(subject)}\n\n" + _header(family, form)
    cells = []
    for row in family.rows:
        values = [f"{rng.randrange(11, 990)}" for _ in family.columns]
        line = _line(family, form, row, values)
        span = Span(name, len(text), len(text) + len(line))
        cells += [(column, row, span, value) for column, value in zip(family.columns, values, strict=True)]
        text += f"{line}\n"
    return Page(name, text, subject), [Span(name, 0, len(text))], cells


def _header(family: Family, form: str) -> str:
    if form == "list":
        return f"Each entry gives {', '.join(family.columns)}, in this order:\n\n"
    head = " | ".join(("", *family.columns)).strip(" |")
    if form == "bars":
        return f"name | {head}\n"
    return f"| name | {head} |\n|{' --- |' * (len(family.columns) + 1)}\n"


def _line(family: Family, form: str, row: str, values: list[str]) -> str:
    if form == "list":
        return f"- {row}: {', '.join(values)}"
    line = " | ".join((row, *values))
    return line if form == "bars" else f"| {line} |"


def header_lost(ground: Ground) -> Iterator[Edit]:
    """A table or list cut between its rows, or between its header and them, so that the row that answers has no header."""
    page = ground.world.pages[ground.passage.page]
    if MARK not in page.id:
        return
    whole = ground.holder(ground.passage)
    first = _first_row(page.text)
    starts = [first]
    while page.text.find("\n", starts[-1]) + 1 < len(page.text.rstrip("\n")):
        starts.append(page.text.index("\n", starts[-1]) + 1)
    at = starts.index(ground.passage.start)
    for begin, size in _pieces(at, len(starts), ground.rng):
        a = starts[begin]
        b = starts[begin + size] if begin + size < len(starts) else whole.end
        new = [Span(page.id, 0, a), Span(page.id, a, b), *([Span(page.id, b, whole.end)] if b < whole.end else [])]
        style = f"{'header alone' if begin == 0 else f'{begin} rows with it'}, piece of {size}"
        edit = recut("header_lost", style, [whole], new)
        yield Edit(edit.kind, style, added=edit.added, removed=edit.removed, context=page.text[:first].rstrip())


def _first_row(text: str) -> int:
    """Where the rows start: after the introduction and the header."""
    at = text.index("\n\n") + 2
    if text.startswith("Each entry", at):
        return text.index("\n\n", at) + 2
    lines = 2 if text.startswith("| ", at) else 1
    for _ in range(lines):
        at = text.index("\n", at) + 1
    return at


def _pieces(at: int, count: int, rng: random.Random) -> Iterator[tuple[int, int]]:
    """Where a piece with row `at` begins and how many rows it has: a few rows after the cut, then any."""
    plans = [
        (begin, size) for begin in range(at + 1) for size in range(at - begin + 1, count - begin + 1) if size >= min(3, count)
    ]
    rng.shuffle(plans)
    yield from plans[:6]
