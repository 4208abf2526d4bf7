"""What documents say of their age, under the names that people use; which is the older version; what they say otherwise."""

import datetime as dt
import time
from typing import Any

import pytest

from ragdiag.core.records import Document
from ragdiag.text.ages import age_of, meaning_of
from ragdiag.text.dates import dates_in, period
from ragdiag.text.front_matter import front_matter
from ragdiag.text.values import about_other_things, differences, other_values
from ragdiag.text.versions import Versions


def document(name: str, text: str = "text", title: str = "", **metadata: Any) -> Document:
    return Document(name, text, title, metadata)


def older(old: Document, new: Document) -> bool:
    versions = Versions([old, new])
    return bool(versions.older(0, 1)) and not versions.older(1, 0)


CHANGED = "updated, updated_at, UPDATED, last_modified, lastModified, last-modified, Last Modified, lastmod, modified"
PUBLISHED = "published, pubDate, pub_date, publishedAt, publication date, date_published"
IN_FORCE = "effective_from, effective_date, effectiveFrom, valid_from, as_of, AS-OF"
NAMES = [
    *CHANGED.split(", "),
    *PUBLISHED.split(", "),
    *IN_FORCE.split(", "),
    "date",
    "Date",
    "created",
    "created_at",
    "createdAt",
]


@pytest.mark.parametrize("name", NAMES)
def test_dates_have_the_names_that_people_give_them(name: str) -> None:
    assert older(document("a", **{name: "2021-03-01"}), document("b", **{name: "2024-03-01"}))


@pytest.mark.parametrize(
    "name", ["fetched", "crawled_at", "indexed_at", "last_seen", "first_seen", "expires", "birthday", "author"]
)
def test_when_a_page_was_fetched_is_no_age_of_it(name: str) -> None:
    assert meaning_of(name) == ""
    assert not older(document("a", **{name: "2021-03-01"}), document("b", **{name: "2024-03-01"}))


@pytest.mark.parametrize(
    "old, new",
    [
        ("12 March 2024", "13 March 2024"),
        ("March 12, 2024", "2024-03-13"),
        ("12. Mar 2024", "Apr 2024"),
        ("Tue, 12 Mar 2024 10:00:00 GMT", "Tue, 12 Mar 2024 11:00:00 GMT"),
        ("2024-03-12T10:00:00Z", "2024-03-12T09:30:00-02:00"),
        ("2024-03-12 10:00", "2024-03-12 10:01"),
        (1710201600, 1710288000),
        ("1710201600000", "1710288000000"),
        (1710201600.5, 1710201601.5),
        ("20240312", "20240313"),
        ("2024/03/12", "2024/04/01"),
        ("12.03.2024", "01.04.2024"),
        (2023, "2024-03-12"),
        ("2023", 2024),
        ("03/04/2023", "04/03/2024"),
        ("31/03/2024", "05/21/2024"),
        (dt.date(2024, 3, 12), dt.datetime(2024, 3, 13, 8, tzinfo=dt.timezone.utc)),
    ],
)
def test_dates_are_read_as_people_write_them(old: Any, new: Any) -> None:
    assert older(document("a", updated=old), document("b", updated=new))


@pytest.mark.parametrize(
    "one, other",
    [
        ("2024", "2024-03-12"),
        ("2024-03", "2024-03-12"),
        ("03/04/2024", "04/03/2024"),
        ("2024-03-12", "2024-03-12T10:00"),
        ("last week", "today"),
        ("", "2024"),
        (True, "2024"),
        ("2024-13-40", "2025"),
        (None, "2025"),
        ([2024], "2025"),
        ("12", "2025"),
    ],
)
def test_what_cannot_be_ordered_says_nothing(one: Any, other: Any) -> None:
    versions = Versions([document("a", updated=one), document("b", updated=other)])
    assert (versions.older(0, 1), versions.older(1, 0)) == ("", "")


@pytest.mark.parametrize(
    "old, new",
    [("1.9", "1.10"), ("v1", "v2"), ("rev 3", "Rev. 4"), (2, "10"), ("2.0-rc1", "2.0"), ("2.0.0-beta", "2.0.0-rc.1"),
     ("2022 edition", "2023 edition"), ("2nd edition", "3rd edition"), ("Version 2.1", "2.1.1"), (1.1, 1.2)],
)  # fmt: skip
def test_versions_are_ordered_as_versions(old: Any, new: Any) -> None:
    assert older(document("a", version=old), document("b", version=new))


@pytest.mark.parametrize("one, other", [("2.0", "2"), ("v1.0.0", 1), ("latest", "2"), ("stable", "beta"), ("A", "B"), (True, 2)])
def test_versions_that_are_the_same_or_none_say_nothing(one: Any, other: Any) -> None:
    versions = Versions([document("a", version=one), document("b", version=other)])
    assert (versions.older(0, 1), versions.older(1, 0)) == ("", "")


def test_only_values_of_one_meaning_are_compared() -> None:
    assert not older(document("a", published="2020-01-01"), document("b", updated="2024-01-01"))
    assert not older(document("a", version=1), document("b", date="2024-01-01"))
    both = document("a", published="2020-01-01", updated="2025-01-01"), document("b", published="2024-01-01")
    assert older(*both)


def test_two_fields_that_contradict_each_other_say_nothing_of_near_duplicates() -> None:
    assert not older(document("a", version=1, updated="2024-02-01"), document("b", version=2, updated="2024-01-01"))


@pytest.mark.parametrize(
    "text",
    [
        "---\ntitle: Fees\nlast_modified: 2021-05-01\n---\n# Fees\n",
        "---\r\nlast_modified: '2021-05-01'  # by hand\r\n---\r\nFees\r\n",
        "+++\nlast_modified = 2021-05-01\n[more]\nx = 1\n+++\nFees\n",
        '+++\nlast_modified = "2021-05-01"\n+++\nFees\n',
    ],
)
def test_front_matter_is_read(text: str) -> None:
    assert age_of(document("a", text)).values[("changed", "day")][0] == dt.datetime(2021, 5, 1)
    assert older(document("a", text), document("b", last_modified="2024-01-01"))


@pytest.mark.parametrize(
    "text", ["updated: 2021-05-01\n", "---\n\nupdated: 2021\n---\n", "+++\nupdated = \n+++\n", "---\nno end: 1\n"]
)
def test_what_is_no_front_matter_is_text(text: str) -> None:
    assert front_matter(text) == {}


def test_metadata_goes_before_front_matter() -> None:
    age = age_of(document("a", "---\ndate: 2021-05-01\n---\n", date="2022-05-01"))
    assert age.values[("dated", "day")][0] == dt.datetime(2022, 5, 1)


@pytest.mark.parametrize(
    "old, new",
    [
        ("docs/1.9/install.md", "docs/1.10/install.md"),
        ("docs/v1/install.md", "docs/v2/install.md"),
        ("handbook-v1.pdf", "handbook-v2.pdf"),
        ("Handbook_rev3.docx", "handbook_rev4.docx"),
        ("cdc.gov-be56e3de-v1", "cdc.gov-be56e3de-v2"),
    ],
)
def test_one_id_but_for_a_version_makes_versions(old: str, new: str) -> None:
    versions = Versions([document(old), document(new)])
    assert versions.link(0, 1) == "version in its id" and versions.link(1, 0) == ""
    assert versions.superseded().tolist() == [True, False]


@pytest.mark.parametrize("field", ["path", "url", "sourceFile", "file_path"])
def test_one_path_but_for_a_version_makes_versions(field: str) -> None:
    old, new, other = ({field: f"https://example.org/{path}"} for path in ("docs/1.9/a.md", "docs/1.10/a.md", "docs/2.0/b.md"))
    versions = Versions([document("x", **old), document("y", **new), document("z", **other)])
    known = field != "sourceFile"
    assert versions.link(0, 1) == ("version in its path" if known else "") and versions.link(1, 0) == ""
    assert versions.link(0, 2) == "" and versions.older(0, 2) == ""  # another page
    assert versions.superseded().tolist() == [known, False, False]


def test_a_date_in_a_path_is_no_age() -> None:
    versions = Versions([document("x", path="crawl-2023-01-01/a.md"), document("y", path="crawl-2024-01-01/a.md")])
    assert versions.link(0, 1) == versions.older(0, 1) == ""


@pytest.mark.parametrize(
    "one, other",
    [
        ("news/2023-04-05.md", "news/2024-04-05.md"),
        ("report-2023.md", "report-2024.md"),
        ("docs/v1/install.md", "docs/v2/upgrade.md"),
        ("r2.md", "r3.md"),
        ("ipv4.md", "ipv6.md"),
        ("mp3.md", "mp4.md"),
        ("chapter-1.md", "chapter-2.md"),
        ("v1/a-v2.md", "v2/a-v1.md"),
    ],
)
def test_a_year_or_a_number_in_an_id_makes_no_version(one: str, other: str) -> None:
    versions = Versions([document(one), document(other)])
    assert (versions.link(0, 1), versions.link(1, 0)) == ("", "")
    assert not versions.superseded().any()


def test_versions_of_other_pages_order_nothing() -> None:
    assert not older(document("leave-v1"), document("travel-v2"))


@pytest.mark.parametrize(
    "old, new",
    [(("report-2023.md", ""), ("report-2024.md", "")), (("a", "Prices of March 2023"), ("b", "Prices of May 2023")),
     (("a", "Handbook (v1)"), ("b", "Handbook (v2)")), (("2023/05/a", ""), ("2023/06/a", ""))],
)  # fmt: skip
def test_dates_and_versions_in_names_order_near_duplicates(old: tuple[str, str], new: tuple[str, str]) -> None:
    assert older(document(old[0], title=old[1]), document(new[0], title=new[1]))


@pytest.mark.parametrize(
    "mark",
    [{"superseded": True}, {"deprecated": "yes"}, {"Archived": 1}, {"status": "obsolete"}, {"status": "Archived"},
     {"state": "draft"}, {"is_latest": False}, {"current": "no"}, {"obsolete": "since May"}],
)  # fmt: skip
def test_marks_of_what_is_no_longer_in_force(mark: dict[str, Any]) -> None:
    versions = Versions([document("a", title="Leave", **mark), document("b", title="Leave")])
    assert versions.link(0, 1) == "superseded, same title"
    assert versions.older(0, 1) == "superseded" and not versions.older(1, 0)


@pytest.mark.parametrize(
    "mark", [{"superseded": False}, {"deprecated": "no"}, {"status": "final"}, {"is_latest": True}, {"archived": ""}]
)
def test_marks_that_mark_nothing(mark: dict[str, Any]) -> None:
    assert not age_of(document("a", **mark)).superseded


@pytest.mark.parametrize(
    "old, new",
    [({"supersededBy": "b"}, {}), ({"replaced-by": ["c", "b"]}, {}), ({}, {"replaces": "a"}), ({}, {"Supersedes": ["a"]})],
)
def test_documents_that_name_each_other(old: dict[str, Any], new: dict[str, Any]) -> None:
    versions = Versions([document("a", **old), document("b", **new)])
    assert versions.link(0, 1) and not versions.link(1, 0)
    assert versions.superseded().tolist() == [True, False]


def test_the_dates_of_an_import_order_nothing() -> None:
    hours = [f"2024-05-01T{h:02}:00" for h in range(9, 12)]
    versions = Versions([document(str(i), updated=hour) for i, hour in enumerate(hours)])
    assert not any(versions.older(i, j) for i in range(3) for j in range(3))
    spread = Versions([*(document(str(i), updated=hour) for i, hour in enumerate(hours)), document("old", updated="2023-01-01")])
    assert spread.older(3, 0) == "changed" and spread.older(0, 1) == "changed"


def test_dates_in_names() -> None:
    assert [p[0].year for p in dates_in("a-2019/b")] == [2019]
    assert dates_in("a20191b") == [] and dates_in("room 2500") == []
    assert period("12 March 2024") == period("2024-03-12")


def test_ten_thousand_documents_are_read_in_seconds() -> None:
    documents = [
        document(f"docs/{i}/page-2024-01-{i % 28 + 1:02}.md", title=f"Page {i}", updated=f"2024-03-{i % 28 + 1:02}")
        for i in range(10_000)
    ]
    started = time.process_time()
    versions = Versions(documents)
    versions.superseded()
    assert time.process_time() - started < 5
    assert len(versions.ages) == 10_000


# What near-duplicates say otherwise

FEE = "The fee for a guest mooring is $18 a night and is paid at the office before noon."


@pytest.mark.parametrize(
    "other, values",
    [
        (FEE.replace("18", "24"), [("18", "24")]),
        (FEE.replace("before noon", "before two"), []),
        (FEE.replace("is paid", "is not paid"), [("", "not")]),
        ("Welcome. " + FEE + " Boats longer than 12 metres pay 9 more.", []),
        (FEE.replace("office", "kiosk"), []),
        (FEE.replace("before", "after"), [("before", "after")]),
        ("Something else altogether, with 24 in it and not a word of the other.", []),
    ],
)
def test_values_that_differ(other: str, values: list[tuple[str, str]]) -> None:
    assert [tuple(d) for d in other_values(differences(FEE, other))] == values


def test_pages_of_one_kind_are_about_other_things() -> None:
    mail = "The mail plan costs $5. The mail plan is billed each month and ends with notice."
    web = mail.replace("mail", "web").replace("5", "9")
    assert about_other_things(differences(mail, web), ("", ""), (mail, web))
    one, other = "The plan costs $5 and ends with notice.", "The plan costs $9 and ends with notice."
    assert about_other_things(differences(one, other), ("Mail plan", "Web plan"), (one, other))
    assert not about_other_things(differences(one, other), ("Plan of 2023", "Plan of 2024"), (one, other))
    assert not about_other_things(differences(one, other), ("untitled", "Plan"), (one, other))
    assert not about_other_things(differences(one, other), ("Handout", "Mail plan"), (one, other))
