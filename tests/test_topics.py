"""Off-topic chunks: what is round the query's words decides, whatever number of those a chunk has."""

import random

import numpy as np
import pytest

from ragdiag.scoring.topics import Topics

BEES = [
    "A honey bee colony has one queen, and the workers feed the larvae with pollen and nectar brought to the comb.",
    "Worker bees dance on the comb to tell the colony where nectar and pollen are to be had that morning.",
    "The queen lays her eggs in the cells of the comb; drones hatch from those that are not fertilised.",
    "In winter the colony clusters round the queen and lives on the honey that the workers stored in summer.",
    "A keeper opens the hive with a smoker, lifts the comb and looks for the queen, eggs and larvae.",
    "Swarming starts when the colony is crowded: the old queen leaves the hive with half of the workers.",
    "Varroa mites live on larvae in sealed cells; a colony with many mites loses its workers before winter.",
    "Nectar becomes honey when workers fan it dry in the comb and seal every cell with wax.",
    "Pollen is the protein of the hive: nurse workers turn it into food for larvae and for the queen.",
    "A weak hive is robbed of its honey by wasps and by workers of other colonies in late summer.",
]
TAX = [
    "The taxpayer files the return by the end of May and pays what the assessment says within four weeks.",
    "Interest on a late payment of income tax is half a percent for each month after the assessment.",
    "Deductions for travel are allowed when the receipts are kept and the employer did not repay them.",
    "An assessment can be contested in writing; the tax office then decides before any court does.",
    "Income from letting is taxed after deductions for repairs, interest and depreciation of the building.",
    "The employer withholds income tax each month and certifies the total to the taxpayer in January.",
    "A return that is filed late costs a surcharge, unless the office extended the time on request.",
    "Married taxpayers choose between joint and separate assessment when they file the return.",
    "Receipts for deductions stay with the taxpayer, who shows them when the tax office asks.",
    "Gifts to charities are deductions up to a fifth of the income; the receipt names the charity.",
]
QUERY = "how does a swarm of bees leave the hive when the colony is crowded"
EVIDENCE = 5
STUFFED = [
    f"{TAX[0]} {QUERY}",
    f"{QUERY} {QUERY} {TAX[4]} {TAX[5]}",
    f"{TAX[3]} swarm bees leave hive colony crowded. {TAX[6]} swarm bees leave hive colony crowded.",
]


def test_pages_stuffed_with_the_query_are_off_topic() -> None:
    texts = BEES + TAX + STUFFED
    judged = Topics(texts).judge(QUERY, [EVIDENCE], [20, 21, 22])
    assert judged.off_topic.all()
    assert (judged.coverage > 0.6).all()


def test_the_rest_of_the_subject_is_on_topic_however_many_of_the_words_it_has() -> None:
    full = f"{QUERY}? The old queen takes half of the workers along; the colony raises a new queen in cells on the comb."
    judged = Topics([*BEES, *TAX, *STUFFED, full]).judge(QUERY, [EVIDENCE], [0, 1, 2, 3, 4, 6, 7, 8, 9, 23])
    assert not judged.off_topic.any()
    assert judged.affinity[-1] > 1 > Topics(BEES + TAX).judge(QUERY, [EVIDENCE], [10]).affinity[0]


def test_what_has_few_of_the_words_is_not_what_the_query_brings_up() -> None:
    judged = Topics(BEES + TAX).judge(QUERY, [EVIDENCE], list(range(10, 20)))
    assert (judged.pull < 0).all()
    assert not judged.off_topic.any()


def test_pages_in_numbers_do_not_vouch_for_one_another_or_for_themselves() -> None:
    crowd = [f"{TAX[0]} {TAX[4]} {QUERY} {QUERY}"] * 3 + STUFFED
    judged = Topics([*BEES, *TAX, *crowd]).judge(QUERY, [EVIDENCE], list(range(20, 26)))
    assert judged.off_topic.all()


def test_another_question_about_the_subject_is_on_topic_by_the_company_it_keeps() -> None:
    rng = random.Random(0)
    subjects = [[f"s{i}w{j}" for j in range(60)] for i in range(30)]

    def page(subject: int, *more: str) -> str:
        return " ".join([*rng.choices(subjects[subject], k=40), *more])

    # Pages of subject 1 say one of the query's words each; those of subject 2 say none.
    texts = [page(i, *(rng.sample(["pregnant", "visit"], 1) if i == 1 else ())) for i in range(30) for _ in range(70)]
    query = "pregnant visit hours rules"
    texts += [page(0, "pregnant", "hours"), page(1, *query.split() * 2), page(2, *query.split() * 2)]
    judged = Topics(texts).judge(query, [2100], [2101, 2102])
    assert judged.pull[0] == pytest.approx(judged.pull[1])
    assert (judged.affinity < 0.01).all(), "neither has a word of the evidence's subject"
    assert judged.off_topic.tolist() == [False, True]


def test_a_chunk_is_judged_the_same_in_any_company() -> None:
    topics = Topics(BEES + TAX + STUFFED)
    chunks = [20, 3, 21, 14, 9]
    together = topics.judge(QUERY, [EVIDENCE], chunks)
    for i, c in enumerate(chunks):
        alone = topics.judge(QUERY, [EVIDENCE], [c])
        assert alone.off_topic[0] == together.off_topic[i]
        assert alone.affinity[0] == pytest.approx(together.affinity[i])
        assert alone.pull[0] == pytest.approx(together.pull[i])


def test_evidence_that_is_in_no_chunk_is_taken_from_its_text() -> None:
    texts = [t for i, t in enumerate(BEES) if i != EVIDENCE] + TAX + STUFFED
    judged = Topics(texts).judge(QUERY, [], [19, 20, 21, 2, 8], evidence_text=BEES[EVIDENCE])
    assert judged.off_topic.tolist() == [True, True, True, False, False]


def test_a_fragment_says_nothing_about_its_topic() -> None:
    texts = [*BEES, *TAX, QUERY]
    assert not Topics(texts).judge(QUERY, [EVIDENCE], [20]).off_topic[0]
    keywords = " ".join(["swarm bees leave hive colony crowded"] * 4)
    assert Topics([*BEES, *TAX, keywords]).judge(QUERY, [EVIDENCE], [20]).off_topic[0]


def test_scripts_without_spaces_are_read_by_characters() -> None:
    bees = [
        "蜂王在巢房里产卵，工蜂用花粉和花蜜喂养幼虫。",
        "工蜂在巢脾上跳舞，告诉蜂群花蜜在哪里。",
        "冬天蜂群围着蜂王，靠工蜂储存的蜂蜜生活。",
    ] * 3
    tax = [
        "纳税人在五月底之前提交申报表并缴纳税款。",
        "逾期缴纳所得税每月加收利息。",
        "雇主每月代扣所得税并向纳税人出具证明。",
    ] * 3
    query = "蜂群什么时候离开蜂巢"
    evidence = "蜂群拥挤时，老蜂王带着一半工蜂离开蜂巢。"
    judged = Topics([*bees, *tax, evidence, f"{query}{query}{tax[0]}{tax[2]}"]).judge(query, [18], [19, 0, 2])
    assert judged.off_topic.tolist() == [True, False, False]


@pytest.mark.parametrize("texts", [[], ["", "  "], ["!?", "—"], ["one", "two"]])
def test_nothing_to_go_by_is_no_verdict(texts: list[str]) -> None:
    chunks = list(range(len(texts)))[1:]
    judged = Topics(texts).judge("what is this", [], chunks, "of this no chunk has a word")
    assert judged.off_topic.tolist() == [False] * len(chunks)
    assert all(np.isfinite(values).all() and values.shape == (len(chunks),) for values in judged[1:])


def test_equal_seeds_equal_verdicts() -> None:
    one, two = (Topics(BEES + TAX + STUFFED, seed=3).judge(QUERY, [EVIDENCE], [0, 20, 21]) for _ in range(2))
    assert all((a == b).all() for a, b in zip(one, two, strict=True))
