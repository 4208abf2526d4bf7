"""Causes on the side of the question: misspelt words, follow-up questions, other languages; and the team's own rewriter."""

import functools
import json
import logging
import random
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ragdiag.cli import main
from ragdiag.core.errors import InputError, SpecError
from ragdiag.core.options import Options
from ragdiag.core.phrasings import earlier_turns, in_full, paraphrases, translations
from ragdiag.core.proofs import Finding
from ragdiag.core.records import QueryResult
from ragdiag.pipeline import audit, run_audit
from ragdiag.sources.queries import load_queries
from ragdiag.text.languages import language, of_other_languages
from ragdiag.text.spelling import slips

FIXTURES = Path(__file__).parents[1] / "fixtures"


def rows(name: str, file: str = "corpus.jsonl") -> list[dict[str, Any]]:
    return [json.loads(line) for line in (FIXTURES / "failures" / name / file).read_text(encoding="utf-8").splitlines()]


def write(path: Path, records: Sequence[Mapping[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


def result(
    folder: Path, name: str, query: str, change: Mapping[str, Any], texts: Mapping[str, str] | None = None, **given: Any
) -> QueryResult:
    """The query of a fixture, audited with other fields (None: without them), and documents with other texts."""
    documents = [row | {"text": (texts or {}).get(row["_id"], row["text"])} for row in rows(name)]
    documents += [{"_id": new, "text": text} for new, text in (texts or {}).items() if new not in {d["_id"] for d in documents}]
    (asked,) = (row for row in rows(name, "queries.jsonl") if row["_id"] == query)
    fields = {key: value for key, value in {**asked, **change}.items() if value is not None}
    queries = write(folder / "queries.jsonl", [fields])
    options = {"retriever": "bm25", "k": 2, "cache": None} | given
    return audit(write(folder / "corpus.jsonl", documents), queries, **options).queries[0]


def finding(of: QueryResult, cause: str) -> Finding | None:
    return next((f for f in of.findings if f.cause == cause), None)


# Spelling


@pytest.mark.parametrize(
    "word, meant",
    [
        ("carageenan", "carrageenan"), ("univeristy", "university"), ("dogers", "dodgers"), ("triolgy", "trilogy"),
        ("immunoglobin", "immunoglobulin"), ("illnes", "illness"), ("muller", "müller"), ("infleunza", "influenza"),
    ],
)  # fmt: skip
def test_slips_that_people_made(word: str, meant: str) -> None:
    assert list(slips(word, [meant, "unrelated"], True)) == [meant]


@pytest.mark.parametrize(
    "word, other",
    [
        ("pools", "pool"), ("legislative", "legislation"), ("governs", "governed"), ("risky", "risk"), ("signee", "signed"),
        ("form", "from"),
        ("deal", "meal"), ("battle", "cattle"), ("2019a", "2018a"), ("immunglobn", "immunoglobulin"),
    ],
)  # fmt: skip
def test_other_words_and_other_forms_of_a_word_are_no_slips(word: str, other: str) -> None:
    assert not slips(word, [other], True)


def test_in_languages_with_many_forms_less_counts_as_a_slip() -> None:
    assert slips("sheeshanks", ["sheepshanks"], False)
    assert not any(
        slips(*pair, False) for pair in (("trugen", ["tragen"]), ("bedecken", ["becken"]), ("finanzierten", ["finanzieren"]))
    )


# Languages


def test_a_language_is_told_only_where_it_is_clear() -> None:
    assert language("Wie hoch ist die Kaution für ein Fahrrad?") == "German"
    assert language("how much is the deposit for a bicycle") == "English"
    assert language("¿Cuál es el precio de los billetes?") == "Spanish"
    assert language("Quel est le prix des billets dans la gare ?") == "French"
    assert language("сколько стоит билет") == "Cyrillic"
    assert {language(text) for text in ("CORSMiddleware allow_origins", "Rover Comfort Deluxe", "42", "", "the die")} == {""}


def test_two_texts_are_in_other_languages_by_script_or_by_words() -> None:
    assert of_other_languages("Wie hoch ist die Kaution für ein Fahrrad?", "The deposit is paid by those who rent") == (
        "German",
        "English",
    )
    assert of_other_languages("who plays the violin here", "音楽家がここで演奏する") == ("English", "Chinese or Japanese")
    assert of_other_languages("welche Punkte", "卡罗来纳黑豹队的防守") == ("Latin letters", "Chinese or Japanese")
    assert of_other_languages("FastAPI CORSMiddleware", "卡罗来纳黑豹队的防守") is None, "names are in no language"
    assert of_other_languages("東京大学", "東京の大学はどこですか") is None, "short texts do not tell Chinese from Japanese"


# What records say


def test_phrasings_are_read_from_the_record_and_from_its_metadata() -> None:
    turns = [{"role": "user", "content": "one"}, "two", {"role": "tool", "content": " "}]
    assert earlier_turns({"history": turns}) == ("one", "two")
    assert in_full({"rewrite": " all of it "}) == "all of it"
    assert translations({"translations": {"de": "eins", "fr": "un"}}) == ("eins", "un")
    assert paraphrases({"paraphrases": "once more"}) == ("once more",)
    assert earlier_turns({"history": "a subject taught at school"}) == (), "metadata may have other things of that name"


def test_a_record_with_phrasings_is_read_without_a_word(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    fields = {"history": ["one"], "rewrite": "in full", "translations": {"de": "eins"}, "paraphrases": ["other"]}
    (query,) = load_queries(write(tmp_path / "q.jsonl", [{"_id": "q", "text": "and?", "evidence": [], **fields}]), None)
    assert not caplog.messages
    assert {name: query.metadata[name] for name in fields} == fields


@pytest.mark.parametrize(
    "fields", [{"history": "one"}, {"history": [3]}, {"rewrite": ["a"]}, {"translations": [1]}, {"paraphrases": {"a": 1}}]
)
def test_phrasings_that_are_none_are_an_error_with_file_and_line(tmp_path: Path, fields: dict[str, Any]) -> None:
    file = write(tmp_path / "q.jsonl", [{"_id": "p", "text": "a"}, {"_id": "q", "text": "and?", **fields}])
    with pytest.raises(InputError, match=rf"'{next(iter(fields))}' must be") as error:
        load_queries(file, None)
    assert (error.value.line, bool(error.value.remedy)) == (2, True)


def test_a_slip_in_the_name_of_a_phrasing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="did you mean 'history'"):
        load_queries(write(tmp_path / "q.jsonl", [{"_id": "q", "text": "and?", "histroy": ["one"]}]), None)


# misspelt


def test_a_misspelt_word_is_named_with_the_one_that_is_meant(tmp_path: Path) -> None:
    found = finding(result(tmp_path, "misspelt", "cold-food", {}), "misspelt")
    assert found is not None and found.proved and found.control is not None and found.control.as_well == 0
    assert found.detail["words"] == [{"word": "refridgerator", "meant": "refrigerator", "slips": 1}]
    assert found.edit.query == "when is the refrigerator of the hut emptied" == found.detail["mended"]


@pytest.mark.parametrize(
    "text",
    [
        "when is the freezer of the hut emptied",  # in no text, and near no word of the evidence
        "when is the refrigerators of the hut emptied",  # another form of a word
        "when is the Refridgerator_2 of the hut emptied",  # an identifier
        "when is the fridgerator of the hut emptied",  # another first letter
    ],
)
def test_words_that_are_merely_unknown_are_not_misspelt(tmp_path: Path, text: str) -> None:
    assert finding(result(tmp_path, "misspelt", "cold-food", {"text": text}), "misspelt") is None


def test_a_word_that_stands_in_some_text_is_not_misspelt(tmp_path: Path) -> None:
    texts = {"catalogue": "A refridgerator by that name is sold in the valley."}
    assert finding(result(tmp_path, "misspelt", "cold-food", {}, texts), "misspelt") is None


def test_a_misspelling_is_no_cause_where_mending_it_is_not_enough(tmp_path: Path) -> None:
    texts = {f"r{i}": f"The refrigerator of the hut is emptied when it is full, note {i}." for i in range(3)}
    found = finding(result(tmp_path, "misspelt", "cold-food", {}, texts), "misspelt")
    assert found is not None and not found.proved and not found.after.sufficient and found.control is None


def test_a_misspelling_is_no_cause_where_a_wrong_word_does_as_well(tmp_path: Path) -> None:
    """Every document but the evidence has a word near the misspelt one, which a search by words never asks for otherwise."""
    from ragdiag.core.proofs import Outcome, Standing
    from ragdiag.diagnosis.modes import modes

    case = _case(tmp_path, "misspelt", "cold-food", {"near": "A refridgeratour is what some would write."})
    mode = modes()["misspelt"].strategy
    observed = mode.observe(case)
    assert observed is not None
    trial = mode.prove(case, observed)
    served = Outcome(Standing(1, True), (), case.ranking)
    (mended,) = next(trial)
    assert "refrigerator" in mended.query
    wrong = trial.send([served])
    assert [edit.query for edit in wrong] == ["when is the refridgeratour of the hut emptied", "when is the of the hut emptied"]
    with pytest.raises(StopIteration) as stop:
        trial.send([served, Outcome(Standing(9, False), (), case.ranking)])
    assert not stop.value.value.proved and stop.value.value.control[:2] == (2, 1)


def test_a_wrong_word_that_brings_the_evidence_lower_does_not_do_as_well(tmp_path: Path) -> None:
    from ragdiag.core.proofs import Outcome, Standing
    from ragdiag.diagnosis.modes import modes

    case = _case(tmp_path, "misspelt", "cold-food", {"near": "A refridgeratour is what some would write."})
    mode = modes()["misspelt"].strategy
    trial = mode.prove(case, mode.observe(case))
    next(trial)
    trial.send([Outcome(Standing(1, True), (), case.ranking)])
    with pytest.raises(StopIteration) as stop:
        trial.send([Outcome(Standing(2, True), (), case.ranking)] * 2)
    assert stop.value.value.proved and stop.value.value.control[:2] == (2, 0)


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [("genone", "genome"), ("clinuc", "clinic"), ("osmud", "osmund"), ("cawdalle", "cawdale"), ("illnes", "illness")],
)
def test_a_slip_in_the_last_letters_is_a_slip(wrong: str, meant: str) -> None:
    assert slips(wrong, [meant], True) == {meant: 1}


@pytest.mark.parametrize(
    ("word", "other"),
    [
        ("analyses", "analysis"),
        ("colour", "color"),
        ("centre", "center"),
        ("analyse", "analyze"),
        ("modelling", "modeling"),
        ("stopped", "stops"),
        ("defence", "defense"),
    ],
)
def test_other_forms_and_other_spellings_are_no_slips(word: str, other: str) -> None:
    assert not slips(word, [other], True) and not slips(other, [word], True)


def test_a_tie_does_not_hide_a_misspelling(tmp_path: Path) -> None:
    """As the word is spelt, all documents score the same, and their ids choose; mended, it leads to the one that is meant."""
    rows = [
        {"_id": f"{n}", "text": f"The clinic of {name} had {n} visitors."}
        for n, name in enumerate(("aldmere", "cawdale", "marrowby"))
    ]
    write(tmp_path / "corpus.jsonl", rows)
    evidence = [{"doc_id": "2", "text": rows[2]["text"]}]
    write(tmp_path / "queries.jsonl", [{"_id": "q", "text": "visitors of marowby clinic", "evidence": evidence}])
    report = run_audit(
        tmp_path / "corpus.jsonl", tmp_path / "queries.jsonl", Options(retriever="bm25(variant=plus)", k=2, cache=None)
    ).report
    assert report.queries[0].causes[:1] == ("misspelt",)


def test_a_slip_that_is_a_word_is_seen_by_the_words_beside_it(tmp_path: Path) -> None:
    texts = {
        "author": "Whatever else he wrote, the man from the lake won the Nobel Prize in Literature late in his life.",
        "stall": "A novel is lent for a month.",
        "prize": "The literature that won a prize stands in the prize shelf; to win is to be read.",
        "more": "Who won in literature: the prize list.",
    }
    evidence = [{"doc_id": "author", "text": "won the Nobel Prize in Literature"}]
    query = {"text": "who won the Novel Prize in literature", "evidence": evidence, "answer": "the man from the lake"}
    found = finding(result(tmp_path, "misspelt", "cold-food", query, texts, k=1), "misspelt")
    assert found is not None and found.detail["words"][0] == {"word": "novel", "meant": "nobel", "slips": 1}
    assert "beside the same words" in found.says
    texts["rules"] = "The novel prize in spring goes to a beginner."
    assert finding(result(tmp_path, "misspelt", "cold-food", query, texts, k=1), "misspelt") is None


def _case(folder: Path, name: str, query: str, texts: Mapping[str, str], **change: Any) -> Any:
    from ragdiag.diagnosis import causes

    cases: list[Any] = []

    def watched(all_cases: Sequence[Any], *rest: Any) -> Any:
        cases.extend(all_cases)
        return diagnose(all_cases, *rest)

    diagnose = causes.diagnose
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(causes, "diagnose", watched)
        result(folder, name, query, change, texts)
    return cases[0]


TYPOS = 40


def test_typos_are_named_where_they_do_harm_and_nowhere_else(tmp_path: Path) -> None:
    """Of 40 questions, each with a letter left out, doubled or swapped in a rare word; half are served all the same."""
    rng, names = random.Random(5), _names(3 * TYPOS)
    documents, queries, typos = [], [], {}
    for i in range(TYPOS):
        place, tool, other = names[3 * i : 3 * i + 3]
        documents.append(
            {
                "_id": f"d{i}",
                "text": f"In {place} the {tool} is kept by the warden in the shed behind the gate, together with the {other}.",
            }
        )
        documents += [{"_id": f"n{i}-{j}", "text": f"Where is the key of {place} kept: note {j}."} for j in range(2 * (i % 2))]
        typos[f"q{i}"] = (slip := _slip(tool, rng)), tool
        evidence = [{"doc_id": f"d{i}", "text": f"the {tool} is kept by the warden"}]
        queries.append({"_id": f"q{i}", "text": f"where is the {slip} of {place} kept", "evidence": evidence})
    report = audit(
        write(tmp_path / "c.jsonl", documents), write(tmp_path / "q.jsonl", queries), retriever="bm25", k=2, cache=None
    )
    failing = [query for query in report.queries if not query.served]
    named = [query for query in report.queries if "misspelt" in query.causes]
    assert 15 <= len(failing) <= 25
    assert {q.id for q in named} <= {q.id for q in failing} and len(named) >= 0.9 * len(failing)
    for query in named:
        found = finding(query, "misspelt")
        assert found is not None
        assert [(word["word"], word["meant"]) for word in found.detail["words"]] == [typos[query.id]]
    mended = [row | {"text": row["text"].replace(*typos[row["_id"]])} for row in queries]
    clean = audit(write(tmp_path / "c.jsonl", documents), write(tmp_path / "q.jsonl", mended), retriever="bm25", k=2, cache=None)
    assert not any("misspelt" in query.causes for query in clean.queries)


def _names(n: int) -> list[str]:
    """Words that nobody knows, far from one another."""
    rng, made = random.Random(1), list[str]()
    while len(made) < n:
        word = "".join(rng.choice("bdfgklmnprst") + rng.choice("aeiou") for _ in range(4)) + rng.choice("lnrs")
        if not any(slips(word, [other], True) for other in made):
            made.append(word)
    return made


def _slip(word: str, rng: random.Random) -> str:
    i = rng.randrange(1, 5)
    return rng.choice([word[:i] + word[i + 1 :], word[:i] + word[i] + word[i:], word[:i] + word[i + 1] + word[i] + word[i + 2 :]])


# follow_up


def test_a_follow_up_question_is_proved_by_the_question_in_full(tmp_path: Path) -> None:
    found = finding(result(tmp_path, "follow_up", "sauna-sunday", {}), "follow_up")
    assert found is not None and found.proved and found.control is not None and found.control[:2] == (3, 0)
    assert found.edit.query == "what does a day pass for the sauna cost on sundays?"
    assert found.detail["by"] == "rewrite" and {"sauna", "pass"} <= set(found.detail["lacks"])


def test_without_a_full_question_the_turns_before_it_are_tried_which_is_said(tmp_path: Path) -> None:
    found = finding(result(tmp_path, "follow_up", "sauna-sunday", {"rewrite": None}), "follow_up")
    assert found is not None and found.after.sufficient and "no rewrite is given" in found.intervention
    assert found.edit.query.endswith("It costs $14.\nand on sundays?")
    last = finding(
        result(tmp_path, "follow_up", "sauna-sunday", {"rewrite": None, "history": ["must a cap be worn?"]}), "follow_up"
    )
    assert last is not None and not last.proved, "turns about something else"


def test_a_question_without_turns_is_no_follow_up(tmp_path: Path) -> None:
    assert finding(result(tmp_path, "follow_up", "sauna-sunday", {"rewrite": None, "history": None}), "follow_up") is None


def test_a_full_question_without_a_word_of_the_turns_is_a_paraphrase(tmp_path: Path) -> None:
    change = {"rewrite": "how much is it for the sauna on sundays", "history": ["must a cap be worn?"]}
    assert finding(result(tmp_path, "follow_up", "sauna-sunday", change), "follow_up") is None


def test_a_follow_up_is_no_cause_where_other_words_do_as_well(tmp_path: Path) -> None:
    from ragdiag.core.proofs import Outcome, Standing
    from ragdiag.diagnosis.modes import modes

    case, mode = _case(tmp_path, "follow_up", "sauna-sunday", {}), modes()["follow_up"].strategy
    observed = mode.observe(case)
    assert observed is not None
    trial = mode.prove(case, observed)
    served = Outcome(Standing(1, True), (), case.ranking)
    assert [edit.query for edit in next(trial)] == ["what does a day pass for the sauna cost on sundays?"]
    others = trial.send([served])
    evidence = set(re.findall(r"\w+", rows("follow_up")[0]["text"].lower()))
    added = [edit.query.removeprefix("and on sundays? ").split() for edit in others]
    assert len(added) == 3 and not any(set(words) & evidence for words in added)
    with pytest.raises(StopIteration) as stop:
        trial.send([served, *[Outcome(Standing(9, False), (), case.ranking)] * 2])
    assert not stop.value.value.proved and stop.value.value.control[:2] == (3, 1)


# cross_language


def test_a_question_in_another_language_is_proved_by_its_translation(tmp_path: Path) -> None:
    found = finding(result(tmp_path, "cross_language", "brake-german", {}), "cross_language")
    assert found is not None and found.proved and found.intervention == "ask in English"
    assert (found.detail["query"], found.detail["evidence"]) == ("German", "English")
    assert found.control is not None and found.control.as_well == 0


@pytest.mark.parametrize(
    "change",
    [
        {"text": "Rover Comfort Deluxe Tandem bremsen"},  # in no language for certain
        {"text": "how is the Rover Comfort Deluxe Tandem to halt"},  # in that of the evidence
        {"translations": None},  # nothing to prove it by
        {"translations": ["Comment freine-t-on le tandem et que fait la main ?"]},  # in a third language
    ],
)
def test_another_language_is_not_named_without_a_doubt_and_a_proof(tmp_path: Path, change: dict[str, Any]) -> None:
    assert finding(result(tmp_path, "cross_language", "brake-german", change), "cross_language") is None


def test_a_translation_that_does_not_serve_the_query_is_no_proof(tmp_path: Path) -> None:
    found = finding(
        result(tmp_path, "cross_language", "brake-german", {"translations": ["what is the deposit for it"]}), "cross_language"
    )
    assert found is not None and not found.proved


def test_another_retriever_must_put_the_evidence_high(tmp_path: Path) -> None:
    import dataclasses

    from ragdiag.core.proofs import Outcome, Standing
    from ragdiag.diagnosis.modes import modes

    case, mode = _case(tmp_path, "cross_language", "brake-german", {}, translations=None), modes()["cross_language"].strategy
    case.setting = dataclasses.replace(case.setting, swaps=("bm25", "dense"))
    observed = mode.observe(case)
    assert observed is not None
    for rank, proved in ((1, True), (2, False)):
        trial = mode.prove(case, observed)
        assert [edit.retriever for edit in next(trial)] == ["dense"], "words do not cross languages"
        with pytest.raises(StopIteration) as stop:
            trial.send([Outcome(Standing(rank, True), (), case.ranking)])
        assert (stop.value.value.proved, stop.value.value.detail["gap"]) == (proved, True)


# The team's own rewriter


def test_a_rewriter_is_asked_for_failing_questions_alone_and_proves(tmp_path: Path) -> None:
    asked = list[tuple[str, list[str]]]()

    def in_full_again(question: str, turns: list[str]) -> str:
        asked.append((question, turns))
        return "what does a day pass for the sauna cost on sundays?"

    found = finding(result(tmp_path, "follow_up", "sauna-sunday", {"rewrite": None}, rewrite=in_full_again), "follow_up")
    assert asked == [("and on sundays?", ["What does a day pass for the sauna cost?", "It costs $14."])]
    assert found is not None and found.proved and found.intervention == "ask as your rewriter does"
    asked.clear()
    assert result(tmp_path, "follow_up", "cap-where", {}, rewrite=in_full_again).served and not asked


def test_what_a_rewriter_gives_is_one_more_paraphrase(tmp_path: Path) -> None:
    folder = FIXTURES / "failures" / "query_mismatch"
    options = Options(retriever="bm25", k=3, cache=None, rewrite=lambda question: "are snakes allowed")
    queries = [row | {"metadata": {}} for row in rows("query_mismatch", "queries.jsonl")]
    report = run_audit(folder / "corpus.jsonl", write(tmp_path / "q.jsonl", queries), options).report
    (snake,) = (query for query in report.queries if query.id == "snake")
    found = finding(snake, "query_mismatch")
    assert found is not None and found.proved and found.edit.query == "are snakes allowed"


def test_what_fails_in_a_rewriter_is_counted_by_kind(tmp_path: Path) -> None:
    def failing(question: str) -> object:
        if "cold" in question:
            raise TimeoutError("secret")
        return 3

    folder = FIXTURES / "failures" / "query_mismatch"
    report = audit(folder / "corpus.jsonl", folder / "queries.jsonl", retriever="bm25", k=3, cache=None, rewrite=failing)
    (note,) = (note for note in report.notes if "rewrote" in note)
    assert "rewrote 0 of 3 failing questions" in note and "TimeoutError 1" in note and "int, not text 2" in note
    assert "secret" not in note


def test_what_a_versioned_rewriter_gave_is_not_asked_again(tmp_path: Path) -> None:
    calls = list[str]()

    def rewriter(question: str) -> str:
        calls.append(question)
        return "are snakes allowed"

    folder = FIXTURES / "failures" / "query_mismatch"
    for version, times in ((None, 3), (None, 6), ("1", 9), ("1", 9), ("2", 12)):
        rewriter.version = version  # type: ignore[attr-defined]
        options = {"retriever": "bm25", "swap": "none", "k": 3, "cache": tmp_path / "cache", "rewrite": rewriter}
        audit(folder / "corpus.jsonl", folder / "queries.jsonl", **options)
        assert len(calls) == times, version


def test_a_slow_rewriter_says_how_long_it_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from ragdiag.search import rewriting

    clock = iter([0.0, 60.0])
    monkeypatch.setattr(rewriting.time, "monotonic", lambda: next(clock))
    folder = FIXTURES / "failures" / "query_mismatch"
    with caplog.at_level(logging.WARNING):
        audit(folder / "corpus.jsonl", folder / "queries.jsonl", retriever="bm25", k=3, cache=None, rewrite=str.upper)
    assert any("3 failing questions: about " in message for message in caplog.messages)


@pytest.mark.parametrize("target", ["http://key@somewhere/v1", "no function", "json:nothing", "nowhere:at_all", 3])
def test_what_is_no_rewriter_stops_before_anything_is_read(target: object) -> None:
    with pytest.raises(SpecError) as error:
        run_audit("no corpus", "no queries", Options(rewrite=target, cache=None))
    assert "key" not in str(error.value)


def test_the_command_line_takes_a_rewriter_and_a_configuration_does_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path[:])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    Path("team_rewriter.py").write_text("def rewrite(question):\n    return 'are snakes allowed'\n", encoding="utf-8")
    folder = FIXTURES / "failures" / "query_mismatch"
    files = [str(folder / "corpus.jsonl"), str(folder / "queries.jsonl"), "-k", "3", "--retriever", "bm25", "--no-cache"]
    run: Callable[[list[str]], Any] = functools.partial(CliRunner().invoke, main)
    shown = run(["explain", *files[:2], "snake", *files[2:], "--rewrite", "team_rewriter:rewrite"])
    assert shown.exit_code == 0 and "are snakes allowed" in shown.output
    Path("ragdiag.toml").write_text('rewrite = "team_rewriter:rewrite"\n', encoding="utf-8")
    assert run(["audit", *files]).exit_code == 2
    sys.modules.pop("team_rewriter", None)
