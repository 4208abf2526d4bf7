"""The matcher against batteries of answers in the forms that people and models write them: how many it gets wrong, by form.

    python tests/bench/forms.py [FILE ...] [--errors]

Lines of a FILE (by default those of `fixtures/judges/forms*.jsonl`): `{"form", "question", "answers", "answer", "expected",
"refusal"}`. Wrong is what is called right and is not, or the other way round; doubtful is not right. Of the rest the doubtful
ones are counted apart: a person is asked about them.
"""

import argparse
import json
from collections import Counter
from pathlib import Path

from common import show

from ragdiag.answering.judges.matcher import Matcher
from ragdiag.core.opinions import DOUBTFUL
from ragdiag.core.protocols import no_progress
from ragdiag.core.records import Answer, Query

BATTERIES = Path(__file__).parents[2] / "fixtures" / "judges"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--errors", action="store_true")
    asked = parser.parse_args()
    for path in asked.files or sorted(BATTERIES.glob("forms*.jsonl")):
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        pairs = [
            (
                Query(str(i), row["question"], row["answers"][0], also=tuple(row["answers"][1:])),
                Answer(str(i), "oracle", row["answer"]),
            )
            for i, row in enumerate(rows)
        ]
        wrong, total, doubtful, refusals = Counter[str](), Counter[str](), 0, 0
        for row, opinion in zip(rows, Matcher().judge(pairs, None, no_progress), strict=True):
            assert opinion is not None
            total[row["form"]] += 1
            doubtful += opinion.kind == DOUBTFUL
            refusals += row["refusal"] and row["expected"] != "right" and opinion.correct
            if opinion.correct != (row["expected"] == "right"):
                wrong[row["form"]] += 1
                if asked.errors:
                    print(f"  {row['form']}: expected {row['expected']}, {opinion.rule}: {opinion.why}")
                    print(f"    {row['question']} | {row['answers']} | {row['answer']!r}")
        by_form = {form: f"{wrong[form]}/{n}" for form, n in total.items()}
        share = round(wrong.total() / total.total(), 4)
        show(
            path.stem,
            n=total.total(),
            wrong=wrong.total(),
            share=share,
            doubtful=doubtful,
            refusals_called_right=refusals,
            **by_form,
        )


if __name__ == "__main__":
    main()
