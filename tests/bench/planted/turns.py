"""Faults of how a question is put: a telling word misspelt, or a follow-up that leaves its subject to the turns before."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence

from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from .asking import casual
from .ground import Ground
from .records import Edit
from .text import content_words, words

KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
SHORTEST = 5  # letters of a word that is misspelt
ENDINGS = ("And what about {}?", "what about {}?", "and {}?", "How about {} then?")
BARE = (
    "And why is that?",
    "What about that one?",
    "How does it work?",
    "and how many?",
    "Since when?",
    "Can you say more on this?",
)
OPENINGS = ("I have a question about {}.", "Tell me about {}.", "We are looking into {}.", "Where do I read up on {}?")
REPLIES = ("Gladly. What would you like to know?", "There is a page on that. What do you need?", "Sure, ask away.")


def telling(ground: Ground) -> list[str]:
    """The question's words that its passage's chunk has too, the rarest first."""
    present = set(words(ground.text(ground.holder(ground.passage))))
    return sorted((w for w in ground.terms if w in present), key=lambda w: ground.world.known[w])


def misspelt(ground: Ground) -> Iterator[Edit]:
    """One of the telling words as people mistype it; then two, then three."""
    candidates = [w for w in telling(ground) if len(w) >= SHORTEST and w.isascii() and w.isalpha()]
    for count in (1, 1, 2, 3):
        chosen = candidates[:count] if ground.rng.random() < 0.7 else ground.rng.sample(candidates, min(count, len(candidates)))
        if len(chosen) < count:
            return
        asked, styles = ground.question.text, []
        for word in chosen:
            style, wrong = _mistyped(word, ground)
            styles.append(style)
            asked = re.sub(rf"\b{re.escape(word)}\b", lambda m, w=wrong: _as_cased(m[0], w), asked, flags=re.I)
        if all(styles):
            yield Edit("misspelt", ", ".join(styles), asked=asked)


def _mistyped(word: str, ground: Ground) -> tuple[str, str]:
    """How a word is mistyped, and that: something that stands on no page."""
    rng = ground.rng
    ways = {"transposed": _transposed, "doubled": _doubled, "neighbouring key": _neighbour, "letter missing": _missing}
    for style in rng.sample(list(ways), len(ways)):
        wrong = ways[style](word, rng)
        if wrong != word and wrong not in ground.world.known:
            return style, wrong
    return "", word


def _transposed(word: str, rng: random.Random) -> str:
    at = rng.randrange(1, len(word) - 1)
    return word[:at] + word[at + 1] + word[at] + word[at + 2 :]


def _doubled(word: str, rng: random.Random) -> str:
    """A letter twice; one that stands twice, once."""
    twice = [n for n in range(1, len(word)) if word[n] == word[n - 1]]
    if twice:
        return word[: twice[0]] + word[twice[0] + 1 :]
    at = rng.randrange(1, len(word))
    return word[:at] + word[at] + word[at:]


def _neighbour(word: str, rng: random.Random) -> str:
    at = rng.randrange(1, len(word))
    row = next((keys for keys in KEYS if word[at] in keys), "")
    beside = [row[n] for n in (row.find(word[at]) - 1, row.find(word[at]) + 1) if row and 0 <= n < len(row)]
    return word[:at] + rng.choice(beside or [word[at]]) + word[at + 1 :]


def _missing(word: str, rng: random.Random) -> str:
    at = rng.randrange(1, len(word))
    return word[:at] + word[at + 1 :]


def _as_cased(old: str, new: str) -> str:
    if old.isupper():
        return new.upper()
    return new[:1].upper() + new[1:] if old[0].isupper() else new


def follow_up(ground: Ground) -> Iterator[Edit]:
    """The question with ever more of its telling words left to the turns before, which name them."""
    rng, text, found = ground.rng, ground.question.text, telling(ground)
    if not found:
        return
    subject = " ".join(w for w in content_words(text) if w in found[:3])
    for count in range(1, min(3, len(found)) + 1):
        yield _turn(ground, f"{count} of {len(found)} words left out", without_words(text, found[:count]), subject)
    left = found[-1] if len(found) > 1 else ""
    if left:
        yield _turn(ground, "and what about", rng.choice(ENDINGS).format(left), subject)
    yield _turn(ground, "bare", rng.choice(BARE), subject)


def _turn(ground: Ground, style: str, asked: str, subject: str) -> Edit:
    rng = ground.rng
    return Edit("follow_up", style, asked=asked, record={"history": history(subject, rng), "rewrite": ground.question.text})


def history(subject: str, rng: random.Random) -> list[dict[str, str]]:
    """Earlier turns that name the subject."""
    turns = [("user", rng.choice(OPENINGS).format(subject)), ("assistant", rng.choice(REPLIES))]
    return [{"role": role, "content": content} for role, content in turns]


def without_words(text: str, left_out: Sequence[str]) -> str:
    """A text with a pronoun for each run of these words: "it", or "this" before a word that the run belongs to."""
    one = "|".join(re.escape(w) for w in left_out)
    run = rf"(?:\b(?:the|an?|this|that|these|our)\s+)?\b(?:{one})\b(?:-\w+)*(?:['’]s)?(?:[\s/-]+(?:{one})\b(?:-\w+)*)*"

    def put(match: re.Match[str]) -> str:
        following = re.match(r"\s+([a-z]+)\b", text[match.end() :])
        pronoun = "this" if following and following[1] not in ENGLISH_STOP_WORDS else "it"
        return pronoun.capitalize() if match[0][0].isupper() and match.start() == 0 else pronoun

    return re.sub(r"\b(it|this)(?:\s+(?:it|this)\b)+", r"\1", re.sub(run, put, text, flags=re.I), flags=re.I)


def idle_history(ground: Ground) -> Iterator[Edit]:
    """Turns before, and a rewrite that says no more than the question does."""
    for _ in range(2):
        turns = history(" ".join(ground.terms[:2]), ground.rng)
        yield Edit("follow_up", "idle", record={"history": turns, "rewrite": casual(ground.question.text, ground.rng)})
