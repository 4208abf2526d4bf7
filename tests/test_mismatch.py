"""Each kind of mismatch: what proves it, and the control that forbids it."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ragdiag.core.options import Options
from ragdiag.core.proofs import Edit, Finding, Outcome, Standing
from ragdiag.diagnosis import causes
from ragdiag.diagnosis.cases import Case
from ragdiag.diagnosis.diagnosis import diagnose
from ragdiag.diagnosis.failures._kinds import attempts
from ragdiag.diagnosis.failures._words import askable, gap, telling
from ragdiag.diagnosis.modes import modes
from ragdiag.pipeline import run_audit
from ragdiag.text.abbreviations import abbreviations
from ragdiag.text.languages import language

MODE: Any = modes()["query_mismatch"].strategy

ROOMS = ("the hall", "the attic", "the cellar", "the yard", "the kitchen", "the garden", "the office", "the stairs")
NOTES = {
    f"n{i}": f"A note on {room}: it is swept by the warden, and the lamp there is to be put out." for i, room in enumerate(ROOMS)
}
"""Short pages in English that answer nothing."""


def case(
    folder: Path, documents: Mapping[str, str], query: str, label: tuple[str, str], **given: Any
) -> tuple[Case, Finding | None]:
    """A query against an index, and what is found of this mode; fields of the query's record go under `record`."""
    record, cases = given.pop("record", {}), list[Case]()
    rows = [{"_id": name, "text": text} for name, text in documents.items()]
    corpus, queries = folder / "corpus.jsonl", folder / "queries.jsonl"
    corpus.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    evidence = [{"doc_id": label[0], "text": label[1]}]
    queries.write_text(json.dumps({"_id": "q", "text": query, "evidence": evidence, **record}) + "\n", encoding="utf-8")

    def watched(seen: Sequence[Case], *rest: Any) -> Any:
        cases.extend(seen)
        return diagnose(seen, *rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(causes, "diagnose", watched)
        audit = run_audit(corpus, queries, Options(**{"cache": None, "retriever": "bm25(variant=plus)", "k": 3} | given))
    (result,) = audit.report.queries
    return cases[0], next((f for f in result.findings if f.cause == "query_mismatch"), None)


def ruled(of: Case, kind: str, *, as_well: int, knocked: bool = False, rank: int = 1) -> Finding:
    """The finding where the act of `kind` alone suffices, `as_well` of its controls do, and `knocked`, what must not."""
    observation = MODE.observe(of)
    trial = MODE.prove(of, observation)
    edits = list(next(trial))
    (attempt, *_) = (a for a in observation.held.attempts if a.kind == kind)

    def outcome(served: bool, chunk: int | None = None) -> Outcome:
        order = np.array([chunk]) if served and chunk is not None else np.array([], dtype=np.int64)
        return Outcome(Standing(rank if served else None, served), (), order)

    asked = trial.send([outcome(edit == attempt.edit) for edit in edits])
    chunks = dict(controls := attempt.controls())
    doing_so = [edit for edit, _ in controls][:as_well] + ([attempt.knocked] if knocked else [])
    if len(chunks) == 1:  # one search tells of all other chunks
        order = np.array([chunk for _, chunk in controls[:as_well]], dtype=np.int64)
        came = {attempt.edit: Outcome(Standing(None, False), (), order), attempt.knocked: outcome(knocked)}
        answers = [came[edit] for edit in asked]
    else:
        answers = [outcome(edit in doing_so, chunks.get(edit)) for edit in asked]
    with pytest.raises(StopIteration) as stop:
        trial.send(answers)
    found: Finding = stop.value.value
    return found


def holder(of: Case) -> int:
    """The chunk that holds the evidence."""
    (chunk,) = of.setting.overlapping(of.groups[0].spans[0])
    return chunk


BOILER = {"boiler": "When the boiler failed the engineer came within four hours.", **NOTES}
INFLECTED = (BOILER, "a failing boilers lamp in the hall", ("boiler", "the engineer came within four hours"))


def test_inflection_is_proved_by_stems(tmp_path: Path) -> None:
    of, found = case(tmp_path, *INFLECTED)
    assert found is not None and found.proved and found.detail["kind"] == "inflection"
    assert "failing" in found.detail["words"] and found.edit.retriever == "bm25(variant=plus, stem=english)"
    assert "stem=english" in found.fix and found.control is not None and found.control.tried >= 5
    assert ruled(of, "inflection", as_well=1).proved


def test_inflection_is_not_proved_where_other_chunks_come_in_so_as_well(tmp_path: Path) -> None:
    of, _ = case(tmp_path, *INFLECTED)
    found = ruled(of, "inflection", as_well=3)
    assert not found.proved and found.control is not None and found.control.as_well == 3


def test_inflection_is_not_proved_where_its_words_make_no_difference(tmp_path: Path) -> None:
    of, _ = case(tmp_path, *INFLECTED)
    found = ruled(of, "inflection", as_well=0, knocked=True)
    assert not found.proved and found.control is not None and "all the same" in found.control.says


def test_a_change_that_only_just_suffices_is_no_proof(tmp_path: Path) -> None:
    of, _ = case(tmp_path, *INFLECTED)
    of.standing = Standing(of.length + 2, False)
    assert not ruled(of, "inflection", as_well=0, rank=of.length).proved
    of.standing = Standing(None, False)
    assert not ruled(of, "inflection", as_well=0, rank=of.length).proved, "other terms order everything anew"
    assert ruled(of, "inflection", as_well=0, rank=(of.length + 1) // 2).proved
    chatty, _ = case(tmp_path, *FILLED)
    chatty.standing = Standing(None, False)
    assert ruled(chatty, "filler", as_well=0, rank=chatty.length).proved, "from far below, the last place is far up"


def test_an_index_with_stems_of_its_own_is_not_stemmed_again(tmp_path: Path) -> None:
    of, _ = case(tmp_path, *INFLECTED, retriever="bm25(stem=english)")
    assert "inflection" not in of.setting.analyses


GERMAN = {
    "kessel": "Wenn der Kessel ausfällt, kommt die Technikerin in vier Stunden und sieht nach den Ventilen.",
    **{f"n{i}": f"Die Lampe in der {room} ist auszuschalten, und der Boden ist zu fegen." for i, room in enumerate("ABCDEFGH")},
}


def test_stems_are_those_of_the_language_of_the_text(tmp_path: Path) -> None:
    of, found = case(
        tmp_path, GERMAN, "die Lampe an dem Ventil ist auszuschalten", ("kessel", "kommt die Technikerin in vier Stunden")
    )
    assert of.setting.language == "german"
    assert of.setting.analyses["inflection"] == "bm25(variant=plus, stem=german)"
    assert found is not None and found.detail["kind"] == "inflection"
    assert not any(a.kind == "filler" for a in attempts(of, holder(of))), "a list of English words says nothing of German"


CORS = {
    "api": "Add CORSMiddleware to the application, with the origins that browsers may come from.",
    **{f"n{i:02d}": f"Note {i} on how the browser is set up in {room}." for i, room in enumerate(ROOMS * 5)},
}
COMPOUND = (CORS, "how is cors set up in the hall", ("api", "Add CORSMiddleware to the application"))


def test_a_word_inside_an_identifier_is_proved_by_parts(tmp_path: Path) -> None:
    of, found = case(tmp_path, *COMPOUND)
    assert found is not None and found.proved and found.detail["kind"] == "identifier"
    assert found.edit.retriever == "bm25(variant=plus, parts=True)" and found.detail["words"] == ["cors"]
    assert not ruled(of, "identifier", as_well=3).proved
    assert not ruled(of, "identifier", as_well=0, knocked=True).proved
    assert "cors" not in gap(of, of.setting.overlapping(of.groups[0].spans[0])).missing, "the overlap counts it"


GLOSSARY = {
    "list": "The case fatality rate (CFR) is a share of cases. It is worked out by the registrar.",
    "cfr": "In the spring the CFR fell to two in a hundred.",
    **{f"m{i}": f"The case for a rate, page {i}: what a fatality is, in {room}." for i, room in enumerate(ROOMS)},
    **NOTES,
}
SHORTENED = (GLOSSARY, "case fatality rate", ("cfr", "the CFR fell to two in a hundred"))


def test_an_abbreviation_is_proved_by_the_form_that_the_documents_give(tmp_path: Path) -> None:
    of, found = case(tmp_path, *SHORTENED)
    assert found is not None and found.proved and found.detail["kind"] == "abbreviation"
    assert found.edit.query == "case fatality rate CFR"
    assert not ruled(of, "abbreviation", as_well=5).proved


def test_an_abbreviation_of_the_query_is_spelled_out(tmp_path: Path) -> None:
    documents = {**GLOSSARY, "long": "A case fatality rate of two in a hundred was seen in the spring."}
    of, _ = case(tmp_path, documents, "CFR in the hall", ("long", "two in a hundred was seen"), k=1)
    tried = [a for a in attempts(of, holder(of)) if a.kind == "abbreviation"]
    assert [a.edit.query for a in tried] == ["CFR case fatality rate in the hall"]


FILLED = (
    {
        "pumps": "Pumps are drained in winter, by the engineer, before the frost comes.",
        **{f"n{i:02d}": f"The purpose of this document, and what it does, please: {room} {i}." for i, room in enumerate(ROOMS)},
        **{f"o{i:02d}": f"The lamp of {room} is put out, page {i}." for i, room in enumerate(ROOMS * 5)},
    },
    "what is the purpose of this document, what does it say please: lead brass copper zinc steel pumps",
    ("pumps", "Pumps are drained in winter"),
)


def test_filler_is_proved_where_the_question_without_it_brings_the_evidence_in(tmp_path: Path) -> None:
    of, found = case(tmp_path, *FILLED)
    assert found is not None and found.proved and found.detail["kind"] == "filler"
    assert "pumps" in str(found.edit.query) and "purpose" not in str(found.edit.query)
    assert "purpose" in found.detail["words"]
    assert not ruled(of, "filler", as_well=5).proved


def test_nothing_is_filler_where_a_part_of_the_evidence_was_found(tmp_path: Path) -> None:
    of, _ = case(tmp_path, *FILLED)
    chunk = holder(of)
    assert any(a.kind == "filler" for a in attempts(of, chunk))
    of.groups = (of.groups[0]._replace(covered=True),)
    assert not any(a.kind == "filler" for a in attempts(of, chunk))


def test_a_word_that_the_documents_hardly_use_is_no_filler(tmp_path: Path) -> None:
    documents = {**FILLED[0], "only": "A method for lamps."}
    of, _ = case(tmp_path, documents, FILLED[1].replace("purpose", "method"), FILLED[2])
    assert not any("method" in a.words for a in attempts(of, holder(of)))


def test_a_sentence_that_names_no_subject_is_filler(tmp_path: Path) -> None:
    documents = {name: text.replace("purpose", "department") for name, text in FILLED[0].items()}
    text = "This document says what the department does. Lead brass copper zinc steel pumps?"
    of, _ = case(tmp_path, documents, text, FILLED[2])
    (asked,) = {a.edit.query for a in attempts(of, holder(of)) if "department" in a.words and "this" in a.words}
    assert asked == "Lead brass copper zinc steel pumps?"


def test_words_that_the_evidence_has_as_much_as_others_are_no_filler(tmp_path: Path) -> None:
    documents = {**FILLED[0], "pumps": "The purpose of this document, and what it does, please: pumps are drained in winter."}
    of, _ = case(tmp_path, documents, FILLED[1], ("pumps", "pumps are drained in winter"))
    assert not any("purpose" in a.words for a in attempts(of, holder(of)) if a.kind == "filler")


def test_a_paraphrase_of_the_record_is_a_proof(tmp_path: Path) -> None:
    record = {"metadata": {"paraphrases": "is the engineer there within hours"}}
    _, found = case(tmp_path, BOILER, "the lamp in the hall", ("boiler", "within four hours"), record=record, k=1)
    assert found is not None and found.proved and found.detail["kind"] == "wording"


POOLS = {
    "pools": "Our pools in the district are open, and nobody fell ill after a bath in them. Titin Henri.",
    **{f"p{i}": f"Swimming is healthy. Pools {i} are kept clean at {room}." for i, room in enumerate(ROOMS)},
    **{f"q{i}": f"Sports in {room} are for members only, number {i}." for i, room in enumerate(ROOMS * 25)},
}
SWIM = (
    POOLS,
    "may I go swimming",
    ("pools", "Our pools in the district are open, and nobody fell ill after a bath in them. Titin Henri."),
)


def test_words_to_ask_for_are_those_that_the_documents_use_with_words_of_the_query(tmp_path: Path) -> None:
    of, _ = case(tmp_path, *SWIM)
    assert askable(of, of.groups[0].spans) == ["pools"]
    (of, _) = case(tmp_path, *SWIM, record={"answer": "pools"})
    assert askable(of, of.groups[0].spans) == [], "a short answer is what nobody who asks knows"


def test_words_point_only_where_other_chunks_do_not_come_in_by_theirs(tmp_path: Path) -> None:
    of, _ = case(tmp_path, *SWIM)
    observation = MODE.observe(of)
    assert observation.detail["side"] == "vocabulary gap"
    of.length = len(POOLS)  # so that all of a ranking is in the context

    def asked(as_well: bool, rank: int = len(POOLS) - 1) -> Finding:
        trial = MODE.prove(of, observation)
        served = Outcome(Standing(rank, True), (), np.array([0]))
        not_so = Outcome(Standing(None, False), (), np.array([], dtype=np.int64))
        controls = trial.send([served if (e.query or "").endswith("pools") else not_so for e in next(trial)])
        everything = Outcome(not_so.standing, (), np.arange(len(POOLS)))
        with pytest.raises(StopIteration) as stop:
            trial.send([everything if as_well else not_so for _ in controls])
        found: Finding = stop.value.value
        return found

    assert asked(False).proved and asked(False).detail["words"] == ["pools"]
    assert asked(False).residual, "words known from the evidence only are a hint"
    assert asked(False).rows is not None and asked(False).rows[0].text == "in words of the evidence: pools"
    assert not asked(True).proved
    assert asked(True, rank=1).proved, "others come in, but not as high"


def test_another_retriever_is_a_proof_only_where_it_puts_the_evidence_high(tmp_path: Path) -> None:
    of, _ = case(tmp_path, BOILER, "lamp hall attic", ("boiler", "within four hours"), k=4)
    of.setting.swaps = ("lsa",)
    observation = MODE.observe(of)
    assert observation.detail["gap"] is True

    def swapped(rank: int) -> Finding | None:
        trial = MODE.prove(of, observation)
        edits = list(next(trial))
        answers = [Outcome(Standing(rank if e.retriever == "lsa" else None, e.retriever == "lsa"), (), of.ranking) for e in edits]
        with pytest.raises(StopIteration) as stop:
            trial.send(answers)
        found: Finding | None = stop.value.value
        return found

    high = swapped(2)
    assert high is not None and high.proved and high.detail["kind"] == "synonym" and high.edit == Edit(retriever="lsa")
    assert "lsa" in high.fix
    low = swapped(4)
    assert low is None or not low.proved


def test_an_overlap_counts_numbers_and_says_what_it_leaves_out(tmp_path: Path) -> None:
    documents = {"pay": "From 2019-2020 it was 31 crowns.", "wages": "Wages and wages 2019.", **NOTES}
    of, _ = case(tmp_path, documents, "wages, wages 2019-2020", ("pay", "it was 31 crowns"), k=1)
    shared = gap(of, of.setting.overlapping(of.groups[0].spans[0]))
    assert shared.missing == ("wages",) and shared.overlap > 0.5
    assert telling("wages 2019", "english") == ["wages"]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("What is the law of the land, and who governs it?", "English"),
        ("Welche Religion verbreiteten die Franzosen mit ihrem Imperialismus in der Kolonie?", "German"),
        ("Quelle est la capitale de la France et où se trouve-t-elle ?", "French"),
        ("भारत की राजधानी क्या है", "Devanagari"),
        ("法国的首都是哪里", "Chinese or Japanese"),
        ("kubectl apply", ""),
        ("", ""),
    ],
)
def test_languages(text: str, name: str) -> None:
    assert language(text) == name


def test_english_function_words_say_something_elsewhere() -> None:
    assert "die" in telling("die cast", "english")
    assert telling("was die Katze", "german") == ["katze"]
    assert telling("was hat", "") == ["was", "hat"]


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("The World Health Organization (WHO) met.", {"WHO": "world health organization"}),
        ("the case fatality rate (CFR) fell", {"CFR": "case fatality rate"}),
        ("the WHO (World Health Organization) met", {"WHO": "world health organization"}),
        ("see the table (Fig 2)", {}),
        ("a dog (CFR)", {}),
        ("(WHO)", {}),
        ("Short forms\n\nCFR: case fatality rate\nNote: nothing", {"CFR": "case fatality rate"}),
        ("| CFR | case fatality rate |", {"CFR": "case fatality rate"}),
        ("- **CFR** - case fatality rate", {"CFR": "case fatality rate"}),
        ("Here CFR stands for case fatality rate, and no more.", {"CFR": "case fatality rate"}),
        ("CFR: a dog", {}),
    ],
)
def test_abbreviations(text: str, pairs: dict[str, str]) -> None:
    assert abbreviations([text]) == pairs
