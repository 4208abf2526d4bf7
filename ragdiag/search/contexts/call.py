"""Embed the chunk with what a function of the team's says of it: a model's summary, a sentence that situates it, questions."""

from __future__ import annotations

import hashlib
import inspect
from dataclasses import dataclass
from functools import cached_property

from ragdiag.core.cache import keep_text, kept_text
from ragdiag.core.errors import SpecError, UsageError
from ragdiag.core.functions import names_function, needed
from ragdiag.core.protocols import Progress, Store, no_progress, text_key
from ragdiag.core.records import Chunking, Corpus, Document, IntArray
from ragdiag.search.contexts._written import Place, Text, Written
from ragdiag.search.team import TeamFunction
from ragdiag.text.phrases import counted

HOW = "it is called with a chunk's text, or with its document's and the chunk's, and gives a text, empty for none"

SAID = dict[str, str]()
"""What functions without a version gave in this process."""


@dataclass(frozen=True)
class FromFunction:
    """What `function`, a ``module:function``, gives for the chunk, a blank line, the chunk; the other way with ``place=after``.

    It is called with the chunk's text; where it takes two arguments, with the document's text and the chunk's. A chunk's window
    that a diagnosis tries is not asked for: it gets the texts of chunks, see `_written.Written`. What tells one function's texts
    from another's is said by `TeamFunction`.
    """

    function: str
    place: Place = "before"

    @cached_property
    def _team(self) -> TeamFunction:
        if not names_function(self.function):
            raise SpecError(f"call: function must be 'module:function', not {self.function!r}")
        return TeamFunction(self.function, "context", "texts")

    @property
    def identity(self) -> str:
        """What its texts depend on: the function's name and version. Raises `SpecError` without the function."""
        return self._team.identity

    @property
    def described(self) -> str:
        """For a signature."""
        return self._team.described

    def texts(self, document: Document, starts: IntArray, ends: IntArray) -> list[str]:
        """See `protocols.Context`: the function is asked for each span."""
        chunking = Chunking(0 * starts, starts, ends)
        return self.told(Corpus((document,)), chunking, None, no_progress).texts(document, starts, ends)

    def told(self, corpus: Corpus, chunking: Chunking, store: Store | None, progress: Progress) -> Written:
        """See `contexts.ToldContext`. Raises `UsageError` where the function raises, or gives no text."""
        texts, n = list[Text](), len(chunking)
        spans = zip(chunking.document.tolist(), chunking.start.tolist(), chunking.end.tolist(), strict=True)
        for i, (d, a, b) in enumerate(spans):
            progress("asking for contexts", i, n)
            document = corpus.documents[d]
            text = self._text(document.text, document.text[a:b], store)
            texts.append(Text(document.id, a, b, text))
        progress("asking for contexts", n, n)
        without = sum(not text.text for text in texts)
        said = (f"{self.function} gave no text for {without} of {counted(n, 'chunk')}, indexed without one",) if without else ()
        return Written(texts, self.place, (*self._team.notes, *said))

    def _text(self, document: str, chunk: str, store: Store | None) -> str:
        """The text for one chunk, from what is kept or by a call; "" for a blank chunk, which is not asked for."""
        if not chunk.strip():
            return ""
        given = (document, chunk) if needed(self._team.function) > 1 else (chunk,)
        what = " ".join(text_key(text).hex() for text in given)
        key = hashlib.sha256(f"context 1 {self.identity} {what}".encode()).hexdigest()
        if not self._team.version:
            if key not in SAID:
                SAID[key] = self._called(given)
            return SAID[key]
        if (kept := kept_text(store, key)) is not None:
            return kept
        keep_text(store, key, text := self._called(given))
        return text

    def _called(self, given: tuple[str, ...]) -> str:
        try:
            text: object = self._team.function(*given)
        except (Exception, SystemExit) as e:
            raise self._error(f"raised {type(e).__name__}", "what it gave so far is kept where it states a version") from e
        if inspect.iscoroutine(text):
            text.close()
            raise self._error("is asynchronous", "name a function that waits: asyncio.run(...)")
        if not isinstance(text, str):
            raise self._error(f"gave a {type(text).__name__}, not a text", HOW)
        return text.strip()

    def _error(self, what: str, remedy: str) -> UsageError:
        return UsageError(" ".join(f"context {self.function!r} {what}; {remedy}".split()))
