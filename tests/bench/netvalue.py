"""What the fixes that causes point to are worth on the public sets, beside just giving the baseline more context.

Every context has the tokens of the baseline's first 5 chunks. ``python tests/bench/netvalue.py [retriever ...] [-- set ...]``
"""

import sys

from common import SETS, paths

from ragdiag.comparing.cells import context_tokens
from ragdiag.comparing.comparison import compare

HEAD = (
    "set",
    "baseline",
    "fix",
    "for",
    "won",
    "lost",
    "difference [95 %]",
    "p (Holm)",
    "tokens of the baseline that serve as many",
)


def main(*arguments: str) -> None:
    cut = arguments.index("--") if "--" in arguments else len(arguments)
    retrievers, sets = arguments[:cut] or ("bm25",), arguments[cut + 1 :] or SETS
    print("| " + " | ".join(HEAD) + " |\n|" + "---|" * len(HEAD))
    beaten = 0
    for name in sets:
        for retriever in retrievers:
            found = compare(*paths(name), retrievers=(retriever,))
            base = found.cells[found.baseline]
            n = found.contrasts[0].n if found.contrasts else 0
            served = int((base.served == 1).sum())
            curve = ", ".join(f"{r['served']} at {r['tokens']}" for r in found.curve if r["times"] >= 1)
            own = base.name.replace(" | ", " + ")
            print(f"| {name} | {own} | – | {', '.join(found.causes)} | {served} of {n} served; {curve} | | | | |")
            for c in found.contrasts:
                raised, cell = found.raised[c.b], found.cells[c.b]
                row = [
                    name,
                    retriever,
                    cell.name.replace(" | ", " + "),
                    ", ".join(found.reasons.get(c.b, ())),
                    str(c.recovered),
                    str(c.broken),
                    f"{c.difference:+.3f} [{c.low:+.3f}, {c.high:+.3f}]" + (" **told apart**" if c.distinguishable else ""),
                    f"{c.p_holm:.2g}",
                    f"{raised['tokens_to_serve_as_many']} (it has {context_tokens(cell):.0f})",
                ]
                beaten += c.distinguishable and c.difference > 0
                print("| " + " | ".join(row) + " |", flush=True)
    print(f"\n{beaten} fixes are distinguishably better than their baseline")
    print(f"made by: python {' '.join(sys.argv)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
