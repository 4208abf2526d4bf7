"""The team's own function as the encoder: what it is asked, what is kept of it, and how it may be wrong."""

import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from ragdiag.cli import main
from ragdiag.comparing.comparison import compare
from ragdiag.core.cache import Cache
from ragdiag.core.encoders import Readable, TextEncoder
from ragdiag.core.errors import SpecError, UsageError
from ragdiag.core.protocols import no_progress
from ragdiag.core.registry import make
from ragdiag.core.remote import remote_part
from ragdiag.pipeline import audit
from ragdiag.search.callables import FunctionEncoder
from ragdiag.search.encoder import Encoder
from ragdiag.search.named import encoder_of_model

FIXTURES = Path(__file__).parents[1] / "fixtures"
TINY = (FIXTURES / "tiny", FIXTURES / "tiny" / "queries.jsonl")

LETTERS = """
import numpy as np

asked = []

def encode(texts, kind):
    asked.append((list(texts), kind))
    return np.array([[t.lower().count(c) + (kind == "query") for c in "abcdefghijklmnopqrstuvwxyz"] for t in texts])
"""
"""A function of the team's: how often a text has each letter, which a query is told apart by."""

Team = Callable[[str], None]


@pytest.fixture
def team(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Team]:
    """Writes the module `team` into the current folder; each time it is another one."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setattr(sys, "path", sys.path[:])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def write(code: str) -> None:
        sys.modules.pop("team", None)
        Path("team.py").write_text(code, encoding="utf-8")

    yield write
    sys.modules.pop("team", None)


def asked() -> list[str]:
    """The texts that the function was called with, and on which side."""
    return [f"{kind} {text}" for texts, kind in sys.modules["team"].asked for text in texts]


def encoded(texts: list[str], store: Cache | None = None) -> np.ndarray:
    return FunctionEncoder("team:encode").encode(texts, "document", store, no_progress)


# What it is asked, and what becomes of that


def test_its_vectors_rank_as_their_cosines_do(team: Team) -> None:
    team(LETTERS)
    texts = ["pumps and valves", "the battery lasts", "a filter in spring", "valves of pumps"]
    positions, scores = make("retrievers", 'dense(model="team:encode")').index(texts, None, no_progress).search(["pumps"], 4)

    def rows(of: list[str], more: int) -> np.ndarray:
        return np.array([[t.count(c) + more for c in "abcdefghijklmnopqrstuvwxyz"] for t in of], dtype=float)

    passages, query = rows(texts, 0), rows(["pumps"], 1)[0]
    cosines = passages @ query / np.linalg.norm(passages, axis=1) / np.linalg.norm(query)
    assert positions[0].tolist() == np.argsort(-cosines, kind="stable").tolist()
    np.testing.assert_allclose(scores[0], np.sort(cosines)[::-1], atol=1e-6)
    assert sorted(asked()) == sorted(["query pumps", *(f"document {t}" for t in texts)])


def test_it_is_asked_for_a_text_once_and_never_for_a_blank_one(team: Team, tmp_path: Path) -> None:
    team(LETTERS + "encode.version = 1")
    vectors = encoded(["one", "", " one ", "two", "\n"], Cache(tmp_path / "cache"))
    assert sorted(asked()) == ["document one", "document two"]
    assert (vectors[0] == vectors[2]).all() and not vectors[1].any() and not vectors[4].any()
    np.testing.assert_allclose(np.linalg.norm(vectors[[0, 3]], axis=1), 1.0, atol=1e-6)


def test_an_object_that_can_be_called_and_a_dotted_name(team: Team) -> None:
    team(
        "class Model:\n    name, version = 'ours', 7\n"
        "    def __call__(self, texts, kind):\n        return [[1, 2]] * len(texts)\n"
        "class app:\n    model = Model()\n"
    )
    made = FunctionEncoder("team:app.model")
    assert made.described == "ours@7"
    np.testing.assert_allclose(made.encode(["x"], "query", None, no_progress), [[1 / 5**0.5, 2 / 5**0.5]], atol=1e-6)


# What is kept


def test_a_version_is_kept_from_run_to_run(team: Team, tmp_path: Path) -> None:
    store = Cache(tmp_path / "cache")
    team(LETTERS + "encode.version = '3'")
    first = encoded(["one", "two"], store)
    team(LETTERS + "encode.version = '3'")  # another run
    assert (encoded(["one", "two"], store) == first).all() and asked() == []
    team(LETTERS + "encode.version = '4'")
    encoded(["one", "two"], store)
    assert sorted(asked()) == ["document one", "document two"]


def test_a_name_tells_apart_what_is_called_the_same(team: Team, tmp_path: Path) -> None:
    store = Cache(tmp_path / "cache")
    for name in ("small", "large"):
        team(LETTERS + f"encode.version, encode.name = 1, {name!r}")
        encoded(["one"], store)
        assert asked() == ["document one"]
    assert FunctionEncoder("team:encode").described == "large@1"


def test_without_a_version_nothing_is_kept_beyond_this_very_function(team: Team, tmp_path: Path) -> None:
    store = Cache(tmp_path / "cache")
    for _ in range(2):  # another function, as in another run
        team(LETTERS)
        for _ in range(2):
            encoded(["one"], store)
        assert asked() == ["document one"]
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_report_names_it_and_says_that_nothing_is_kept(team: Team, tmp_path: Path) -> None:
    team(LETTERS)
    report = audit(*TINY, retriever='dense(model="team:encode")', cache=tmp_path / "cache")
    assert report.pipeline.models == ("team:encode (no version)",) and "team:encode (no version)" in report.signature
    assert any("team:encode states no version, so its vectors are not kept" in note for note in report.notes)
    team(LETTERS + "encode.version = '2026-11'")
    report = audit(*TINY, retriever='dense(model="team:encode")', cache=tmp_path / "cache")
    assert report.pipeline.models == ("team:encode@2026-11",) and "team:encode@2026-11" in report.signature
    assert not any("version" in note for note in report.notes)


# Wherever a model may be named

SPECS = (
    'dense(model="team:encode")',
    'hybrid(bm25, dense(model="team:encode"))',
    'mmr(dense(model="team:encode"))',
    'dedupe(hybrid(bm25, dense(model="team:encode")))',
)


@pytest.mark.parametrize("retriever", SPECS)
def test_any_retriever_takes_it(team: Team, tmp_path: Path, retriever: str) -> None:
    team(LETTERS + "encode.version = 1")
    report = audit(*TINY, retriever=retriever, cache=tmp_path / "cache")
    assert report.pipeline.models == ("team:encode@1",)
    # How far it reads, and what it cannot read, is not known: so nothing is claimed of either.
    assert report.pipeline.unseen is None and report.pipeline.unread is None
    assert not any("truncated" in q.causes for q in report.queries)
    assert audit(*TINY, retriever=retriever, cache=tmp_path / "cache").signature == report.signature


def test_a_chunker_takes_it(team: Team) -> None:
    team(LETTERS)
    report = audit(*TINY, retriever="bm25", chunker='semantic(model="team:encode")', cache=None)
    assert report.pipeline.models == ("team:encode (no version)",) and asked()


def test_a_swap_takes_it(team: Team) -> None:
    team(LETTERS)
    report = audit(*TINY, retriever="bm25", swap='dense(model="team:encode")', cache=None)
    assert report.pipeline.swaps == ("dense(model='team:encode')",)


@pytest.mark.parametrize("version", ["encode.version = 1", ""])
def test_a_comparison_takes_it(team: Team, tmp_path: Path, version: str) -> None:
    team(LETTERS + version)
    retrievers = ["bm25", 'dense(model="team:encode")']
    compared = compare(*TINY, retrievers=retrievers, cache=tmp_path / "cache")
    assert {c.retriever for c in compared.cells} == {"bm25", "dense(model='team:encode')"}


def test_on_the_command_line(team: Team) -> None:
    team(LETTERS)
    arguments = ["audit", *map(str, TINY), "--retriever", 'dense(model="team:encode")', "--no-cache", "--json", "-"]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["pipeline"]["models"] == ["team:encode (no version)"]


# What a name may mean


def test_what_is_a_function_and_what_a_model() -> None:
    for name in ("", "owner/name", "./team:encode", "/models/a:b", "team:", ":f", "C:\\models\\e5", "team:f@3", "a b:c"):
        assert isinstance(encoder_of_model(name), Encoder), name
    for name in ("team:encode", "a.b.c:d.e"):
        made = encoder_of_model(name)
        assert isinstance(made, FunctionEncoder)
    # Asked of the class: of an instance, Python before 3.12 would ask its properties, which import the function.
    assert not any(hasattr(FunctionEncoder, name) for name in ("max_tokens", "seen", "visible", "characters", "unread"))
    assert {"max_tokens", "seen"} <= set(dir(TextEncoder)) and {"characters", "unread"} <= set(dir(Readable))


def test_its_precision_is_its_own() -> None:
    with pytest.raises(SpecError, match="leave precision=bfloat16 out"):
        _ = make("retrievers", 'dense(model="team:encode", precision=bfloat16)').encoder


def test_a_folders_configuration_runs_no_code(team: Team) -> None:
    team("raise SystemExit('was run')")
    Path("team:encode").mkdir()  # nor when it is a name on this machine
    Path("ragdiag.toml").write_text("retriever = 'dense(model=\"team:encode\")'\n")
    done = CliRunner().invoke(main, ["audit", *map(str, TINY)])
    assert done.exit_code == 2 and "run as code (model='team:encode')" in done.stderr and "was run" not in done.output
    assert remote_part(make("retrievers", 'hybrid(bm25, dense(model="team:encode"))')) == "model='team:encode'"


def test_nothing_is_imported_from_a_corpus(team: Team, tmp_path: Path) -> None:
    corpus = tmp_path / "work" / "corpus"
    corpus.mkdir()
    (corpus / "a.md").write_text("A text.", encoding="utf-8")
    (corpus / "encoders_of_corpus.py").write_text("raise SystemExit('was run')", encoding="utf-8")
    (corpus.parent / "q.jsonl").write_text('{"_id": "q", "text": "text?", "evidence": [{"doc_id": "a.md", "text": "A text."}]}')
    with pytest.raises(SpecError, match="No module named 'encoders_of_corpus'"):
        audit(corpus, corpus.parent / "q.jsonl", retriever='dense(model="encoders_of_corpus:f")', cache=None)


def test_the_current_folder_is_not_searched_for_what_is_installed(team: Team) -> None:
    before = list(sys.path)
    _ = FunctionEncoder("json:dumps").identity
    assert sys.path == before


# What may be wrong

WRONG = {
    "def encode(texts, kind): return [[1.0]] * (len(texts) + 1)": r"gave an array of 3 x 1 for 2 texts; it is called with a list",
    "def encode(texts, kind): return [1.0, 2.0]": "gave an array of 2 for 2 texts",
    "def encode(texts, kind): return 3": "gave a int that is no array of numbers",
    "def encode(texts, kind): return [[]] * len(texts)": "gave an array of 2 x 0 for 2 texts",
    "def encode(texts, kind): return [[[1.0]]] * len(texts)": "gave an array of 2 x 1 x 1 for 2 texts",
    "def encode(texts, kind): return [[1.0], [1.0, 2.0]]": "gave a list that is no array of numbers",
    "def encode(texts, kind): return None": "gave a NoneType that is no array of numbers",
    "def encode(texts, kind): return [['a']] * len(texts)": "gave a list that is no array of numbers",
    "def encode(texts, kind): return {'one': [1.0]}": "gave a dict that is no array of numbers",
    "def encode(texts, kind): return [[1.0], [float('nan')]]": "numbers that are not finite, for 'one'",
    "def encode(texts, kind): return [[1e300], [1.0]]": "numbers that are not finite, for 'two words'",
    "def encode(texts, kind): return [[None], [1.0]]": "numbers that are not finite, for 'two words'",
    "def encode(texts, kind): raise KeyError('no\\nkey')": r"raised KeyError: 'no\\nkey' on 2 texts \(document\)",
    "def encode(texts, kind): raise SystemExit('left')": "raised SystemExit: left on 2 texts",
    "def encode(texts): return [[1.0]] * len(texts)": "raised TypeError: .* takes 1 positional argument but 2 were given",
    "async def encode(texts, kind): return [[1.0]]": "is asynchronous; name a function that waits",
}


@pytest.mark.parametrize(("code", "says"), WRONG.items(), ids=list(WRONG))
def test_a_function_that_gives_no_vectors(team: Team, tmp_path: Path, code: str, says: str) -> None:
    team(code + "\nencode.version = 1")
    store = Cache(tmp_path / "cache")
    with pytest.raises(UsageError, match=says) as raised:
        encoded(["one", "two words"], store)
    assert str(raised.value).startswith("model 'team:encode' ") and "\n" not in str(raised.value)
    team(LETTERS + "encode.version = 1")  # once it is mended nothing wrong is left
    assert encoded(["one", "two words"], store).shape == (2, 26)


LOADED = {
    "encode = 3": "team has no function 'encode'",
    "": "team has no function 'encode'",
    "import no_such_module": "cannot be loaded: ModuleNotFoundError: No module named 'no_such_module'",
    "raise SystemExit(3)": "cannot be loaded: SystemExit: 3",
    "def encode(*_): ...\nencode.version = []": r"its version must be a word or a number, not \[\]",
    "def encode(*_): ...\nencode.version = True": "its version must be a word or a number, not True",
    "def encode(*_): ...\nencode.version = ' '": "its version must be a word or a number",
    "def encode(*_): ...\nencode.name = 'a\\nb'": "its name must be a word or a number",
}


@pytest.mark.parametrize(("code", "says"), LOADED.items(), ids=list(LOADED))
def test_a_function_that_is_not_there(team: Team, code: str, says: str) -> None:
    team(code)
    with pytest.raises(SpecError, match=says) as raised:
        audit(*TINY, retriever='dense(model="team:encode")', cache=None)
    assert str(raised.value).startswith("model 'team:encode'")


def test_other_dimensions_than_before(team: Team, tmp_path: Path) -> None:
    team("def encode(texts, kind): return [[1.0] * (2 if kind == 'query' else 3)] * len(texts)")
    index = make("retrievers", 'dense(model="team:encode")').index(["one"], None, no_progress)
    with pytest.raises(UsageError, match="gave vectors of 3 dimensions, and of 2; vectors are kept by name and version"):
        index.search(["one"], 1)
    team("def encode(texts, kind): return [[1.0] * len(t) for t in texts[:1]]\nencode.version = 1")
    store = Cache(tmp_path / "cache")
    encoded(["one"], store)
    with pytest.raises(UsageError, match=re.escape("'team:encode' gave vectors of other dimensions before; vectors are kept")):
        encoded(["one", "seven"], store)


def test_errors_reach_the_command_line_as_one_line(team: Team) -> None:
    team("def encode(texts, kind): raise ValueError('first\\nsecond')")
    done = CliRunner().invoke(main, ["audit", *map(str, TINY), "--retriever", 'dense(model="team:encode")', "--no-cache"])
    (line,) = done.stderr.splitlines()
    assert done.exit_code == 2 and line.startswith("error: model 'team:encode' raised ValueError: first second on ")
