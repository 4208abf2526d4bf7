"""Other words for common content words of the sets, and the frames of casual questions.

Each line of `wording.txt` names words that questions share with their passages, then what someone might type instead.
"""

from pathlib import Path

CASUAL = (
    "hey, quick one: {}?",
    "anyone know the story with {}?",
    "what's the deal with {}?",
    "so, {}?",
    "my boss keeps asking me, {}?",
    "can somebody fill me in on {}?",
    "no clue here: {}?",
    "just wondering, {}?",
    "a friend wants the gist: {}?",
    "{}? thanks!",
)


def _parsed(lines: list[str]) -> dict[str, list[str]]:
    """Each old word with the new ones; the first line that has it counts."""
    table: dict[str, list[str]] = {}
    for line in lines:
        old, _, new = line.partition(": ")
        for word in old.split():
            table.setdefault(word.removesuffix("'s"), new.split(" / "))
    return table


OTHER_WORDS = _parsed(Path(__file__).with_name("wording.txt").read_text(encoding="utf-8").splitlines())
