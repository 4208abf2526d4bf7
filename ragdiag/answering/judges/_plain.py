"""What an answer says, without what stands round it: a model's thinking, marks that programs read, courtesies."""

from __future__ import annotations

import functools
import re

from ragdiag.answering.judges._text import readable, sentences

THINKING = r"(?:think|thinking|thoughts?|reasoning|reason|reflection|scratchpad|analysis|inner_monologue)"
OPENS = rf"(?:<{THINKING}\b[^<>]*>|\[{THINKING}\]|◁think▷|<\|begin_of_thought\|>|<\|channel\|>analysis<\|message\|>)"
CLOSES = rf"(?:</{THINKING}\s*>|\[/{THINKING}\]|◁/think▷|<\|end_of_thought\|>|<\|channel\|>final<\|message\|>)"
THOUGHT = re.compile(rf"{OPENS}(?:(?!{CLOSES}).)*(?:{CLOSES}|\Z)", re.IGNORECASE | re.DOTALL)
THOUGHT_BEFORE = re.compile(rf"\A.*{CLOSES}", re.IGNORECASE | re.DOTALL)
"""Where a prompt opened the thinking, a reply only closes it."""

MARKS = re.compile(
    r"<\|[^<>|\n]{1,40}\|>|</?(?:s|bos|eos|pad|answer|final|final_answer|response|output|result)>|^[^\S\n]*```\w*[^\S\n]*$"
    r"|\[/?(?!(?:YES|TRUE|FALSE|NONE)\])(?=[^\]]{3})[A-Z][A-Z0-9]*(?:[ _-][A-Z0-9]+)*\]|\[\^?\d{1,3}\^?\]",
    re.MULTILINE,
)
"""Tokens and tags of programs, ``[END OF FILE]``, and citations: they state nothing."""

_GOOD = r"(?:very |really |such |quite )*(?:good|great|excellent|interesting|wonderful|fantastic|nice|fine|insightful|thoughtful)"
_HERE = r"(?:here(?:'s| is| are| you go| goes)|below (?:is|are)|the following (?:is|are))"
_YOURS = r"(?:summary|answer|response|overview|explanation|breakdown|list|information|details?|steps?|result|reply|look)"
_HELP = r"(?:help|assist|answer|explain|clarify|do that|do so|take a look|look into|break|walk)"
_CONTACT = r"(?:ask|reach out|contact me|let me know)"
_ASK = rf"(?:feel free to {_CONTACT}|(?:don't|do not) hesitate to {_CONTACT}|(?:just|please) ask)"
COURTESY = re.compile(
    r"\W*(?:"
    r"(?:sure|certainly|absolutely|definitely|of course|gladly|indeed|okay|ok|alright|all right|right|great|perfect|excellent"
    r"|got it|understood|no problem|no worries|not a problem|happy to help|my pleasure|you're welcome|thanks|thank you|cheers"
    r"|hello|hi|hey|greetings|good question|sorry)"
    r"(?: (?:thing|there|again|for (?:asking|the question|your question|reaching out)))?"
    rf"|(?:that's |that is |this is |what )?an? {_GOOD}(?: \w+)? (?:question|point|one)|{_GOOD} (?:question|point)"
    rf"|(?:yes|yeah|yep|no problem),? (?:i'm|i am|i'd be|i would be|i'll be) (?:more than |very |so )?"
    rf"(?:happy|glad|pleased|delighted|here) to {_HELP}\b[^.!?:]*"
    rf"|(?:yes|yeah|yep),? i (?:can|will|could|'ll) (?:certainly |gladly |definitely |surely )?{_HELP}\b"
    r"(?: you)?(?: with [^.!?:]*)?"
    rf"|(?:i'm|i am|i'd be|i would be|i'll be) (?:happy|glad|pleased|delighted|here) to {_HELP}\b[^.!?:]*"
    rf"|i (?:can|will|could|'ll) (?:certainly |gladly |definitely |surely )?{_HELP}\b(?: you)?"
    r"(?: with (?:that|this|your question)| this| that)?"
    rf"|let me {_HELP}\b[^.!?:]*"
    rf"|{_HERE}(?: (?:an?|the|your|my|some|what))?(?:(?: \w+){{0,3}} {_YOURS}\b[^.!?:\n]*)?:?"
    rf"|{_HERE}\b[^.!?\n]*:"
    r"|(?:i |we )?(?:really |sincerely )?hope (?:this|that|it|these|my \w+) "
    r"(?:helps?|helped|clarif\w+|answers?|explains?|makes sense|works|(?:is|was|are|were) (?:\w+ )?(?:helpful|useful))\b[^.!?]*"
    rf"|(?:please |just )?(?:let me know|{_ASK})\b[^.!?]*"
    rf"|if you\b[^.!?]*\b(?:let me know|i'm here|i am here|{_ASK})\b[^.!?]*"
    r"|(?:is there|do you have|do you need|would you like|do you want|anything else|any other)\b[^.!?]*\?"
    rf"|(?:have an?|enjoy your) {_GOOD}? ?(?:day|evening|weekend|rest of your day)"
    r"|(?:thanks|thank you) for\b[^.!?]*"
    r")[\s.!?:,;)-]*\W*",
    re.IGNORECASE,
)
"""A whole sentence that only keeps company to an answer."""

GREETING = re.compile(r"\W*(?:hello|hi|hey|greetings)\b[^.!?\n]{0,40}[.!]", re.IGNORECASE)

SHORT = 300
"""Characters: a longer sentence is no courtesy."""

_SOURCE = r"(?:context|passages?|documents?|texts?|information|excerpts?|sources?|data|articles?|filings?|reports?|snippets?)"
LEAD = re.compile(
    r"\A\W*(?:"
    r"(?:sure|certainly|absolutely|definitely|of course|gladly|okay|ok|alright|great|perfect|excellent)(?:!+|:|\.| -)\s+"
    r"|no (?:worries|problem)\b[,.!]*\s+"
    r"|(?:based on|according to|from) (?:the |this |your |these )?"
    rf"(?:(?:provided|given|above|retrieved|following|available) )?{_SOURCE}"
    r"(?: (?:provided|given|above|you (?:provided|gave|shared)))?,\s+"
    rf"|{_HERE}(?: (?:an?|the|your|my))?(?: \w+){{0,2}} {_YOURS}\b[^.!?:\n]{{0,80}}:\s+"
    rf"|{_HERE} what (?:i|we|you)\b[^.!?:\n]{{0,60}}:\s+"
    r")(?=\S)",
    re.IGNORECASE,
)
"""What a sentence opens with before it says anything."""


def unthought(text: str) -> str:
    """`text` without what a model thinks before it answers; of thinking that never closes all that follows goes."""
    return THOUGHT_BEFORE.sub("", THOUGHT.sub(" ", text)) if "<" in text or "[" in text or "◁" in text else text


def statements(text: str) -> list[str]:
    """The sentences of `text` that state something, without thinking, marks of programs and courtesies."""
    parts = sentences(MARKS.sub(" ", readable(unthought(text))))
    return [rest for part in parts if not _is_courtesy(part) and not _is_courtesy(rest := LEAD.sub("", part))]


@functools.lru_cache(maxsize=512)
def plain(text: str) -> str:
    """What `text` says: its `statements`. Where it says nothing but courtesies they are the answer: a bare "Sure!" says yes."""
    whole = MARKS.sub(" ", readable(unthought(text))).strip()
    stating = statements(text)
    return "\n".join(stating) if stating and stating != sentences(whole) else whole


def _is_courtesy(sentence: str) -> bool:
    return len(sentence) <= SHORT and bool(COURTESY.fullmatch(sentence) or GREETING.fullmatch(sentence))
