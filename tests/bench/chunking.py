"""Megabytes of UTF-8 that each chunker cuts per CPU-second, on long documents and on a mixture with many tiny ones."""

from common import cpu, show, texts

from ragdiag.core.registry import make


def main() -> None:
    for title, corpus in (("long documents", texts("covidqa", "chroma_chunking")), ("all five sets", texts())):
        size = sum(len(t.encode()) for t in corpus) / 1e6
        for spec in ("fixed", "sentence", "paragraph", "section", "recursive", "recursive(size=400)"):
            chunker = make("chunkers", spec)
            seconds, _ = cpu(lambda c=chunker, texts=corpus: [c.spans(t) for t in texts], repeat=5)
            show(f"{spec}, {title} ({size:.1f} MB)", MB_per_CPU_second=size / seconds)


if __name__ == "__main__":
    main()
