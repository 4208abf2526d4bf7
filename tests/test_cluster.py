"""Work done by Dask and by Ray: the same bytes as in one process, whatever becomes of a worker; what is said when they cannot."""

import contextlib
import dataclasses
import os
import pickle
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import joblib
import numpy as np
import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from ragdiag.cli import main
from ragdiag.comparing.comparison import compare
from ragdiag.comparing.tuning import tune
from ragdiag.core import engines
from ragdiag.core.cache import Cache
from ragdiag.core.cluster import cluster
from ragdiag.core.engines import distant, results, software, workers
from ragdiag.core.errors import SpecError, UsageError
from ragdiag.core.lending import Borrowed, Lent, Recorder, borrowed
from ragdiag.core.options import Options
from ragdiag.core.protocols import no_progress
from ragdiag.core.registry import make
from ragdiag.diagnosis import parted
from ragdiag.pipeline import run_audit
from ragdiag.reports.json import audit_dict, compare_dict, dumps
from ragdiag.reports.tune import tune_dict
from ragdiag.search import pools
from ragdiag.search.afar import Luggage, unpacked
from ragdiag.search.encoder import Encoder
from ragdiag.search.pools import make_pool
from ragdiag.search.spread import Making, made_elsewhere

ROOT = Path(__file__).parents[1]
TIDEWATER = ROOT / "fixtures" / "tidewater"
CORPUS, QUERIES = TIDEWATER / "corpus", TIDEWATER / "queries.jsonl"

SCHEDULER = """
import sys
from dask.distributed import LocalCluster
if __name__ == "__main__":
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1") as made:
        print(made.scheduler_address, flush=True)
        sys.stdin.read()
"""
PID = "__import__('os').getpid()"


@pytest.fixture(scope="module")
def dask_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Dask cluster of two processes, in another folder: what a path of ours leads to, they do not find by its short name."""
    pytest.importorskip("distributed", reason="dask is not installed")
    folder = tmp_path_factory.mktemp("dask")
    (folder / "scheduler.py").write_text(SCHEDULER)
    # In an environment without $HOME/.cache of ours, so that whoever looked into the usual cache would find nothing.
    env = os.environ | {
        "PYTHONPATH": str(ROOT),
        "XDG_CACHE_HOME": str(folder / "none"),
        "DASK_DISTRIBUTED__LOGGING__DISTRIBUTED": "error",
    }
    command = [sys.executable, "scheduler.py"]
    started = subprocess.Popen(
        command, cwd=folder, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert started.stdout is not None and started.stdin is not None
    yield started.stdout.readline().strip()
    started.stdin.close()
    try:
        started.wait(20)
    except subprocess.TimeoutExpired:
        started.kill()
    started.stdout.close()


@pytest.fixture(params=["dask", "ray"])
def engine(request: pytest.FixtureRequest) -> Iterator[str]:
    """Within it, work is done by one of the engines."""
    name = request.param
    if name == "ray":
        pytest.importorskip("ray", reason="ray is not installed")
    address = "ray:local" if name == "ray" else request.getfixturevalue("dask_address")
    with cluster(address):
        yield name


def measured(cache: Path | None, **more: object) -> str:
    found = compare(
        CORPUS, QUERIES, chunkers=["sentence(size=40)", "fixed(size=60)"], retrievers=["bm25", "lsa"], cache=cache, **more
    )
    return dumps({name: value for name, value in compare_dict(found).items() if name != "timings"})


@pytest.fixture(scope="module")
def alone() -> str:
    """A comparison in one process."""
    return measured(None)


# The same bytes


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of the engines' own
def test_a_comparison_has_the_same_bytes_though_a_worker_is_killed(engine: str, alone: str, tmp_path: Path) -> None:
    assert distant()
    pids = {pid for _, pid in results(eval, [(PID,)] * 8)}
    assert os.getpid() not in pids
    killed: list[int] = []

    def kill(what: str, done: int, total: int) -> None:
        if what == "measuring configurations" and not killed:
            killed.append(min(pids))
            os.kill(killed[0], signal.SIGKILL)

    assert measured(tmp_path / "cache", progress=kill) == alone
    assert killed
    assert len(list((tmp_path / "cache").glob("*.npz"))) >= 4  # the caller keeps what is done, and nobody else writes there


@pytest.mark.slow
@pytest.mark.encoder
@pytest.mark.filterwarnings("ignore")
def test_shards_of_a_corpus_give_the_same_pool_though_a_worker_is_killed(
    engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The workers rank the shards; the pool, and what is ranked first in the whole, has the bytes that one process writes."""
    monkeypatch.setattr(pools, "EMBEDDED", 2000)
    killed: list[int] = []
    pids = {pid for _, pid in results(eval, [(PID,)] * 8)}
    add_arrays = Cache.add_arrays

    def kill(self: Cache, key: str, arrays: dict[str, np.ndarray]) -> None:
        if len(arrays) == 2 and not killed:  # of a first shard: the others are being ranked
            killed.append(min(pids))
            os.kill(killed[0], signal.SIGKILL)
        add_arrays(self, key, arrays)

    def pool(out: str) -> dict[str, bytes]:
        make_pool(CORPUS, QUERIES, tmp_path / out, tops=["bm25", "hybrid"], sample=3, cache=tmp_path / f"{out}-cache")
        return {file.name: file.read_bytes() for file in (tmp_path / out).iterdir()}

    monkeypatch.setattr(Cache, "add_arrays", kill)
    by_workers = pool(engine)
    with joblib.parallel_config(backend="sequential"):
        assert pool("alone") == by_workers
    assert killed
    kept = [sorted(file.name for file in (tmp_path / f"{of}-cache").glob("*.npz")) for of in ("alone", engine)]
    assert len(kept[0]) > 3 and set(kept[0]) == set(kept[1])  # by the caller alone; beside them the choice of a precision


@pytest.mark.slow
@pytest.mark.encoder
@pytest.mark.filterwarnings("ignore")
def test_vectors_and_a_diagnosis_in_parts_have_the_same_bytes(
    dask_address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny = ROOT / "fixtures" / "tiny"
    usual = Options(retriever="dense", k=1, cache=tmp_path / "one")
    report = run_audit(tiny, tiny / "queries.jsonl", usual).report
    parts: list[int] = []
    monkeypatch.setattr(parted, "PART", 1)
    monkeypatch.setattr(parted, "WORTH_IT", 1)

    def told(what: str, done: int, total: int) -> None:
        if what == "naming causes in parts":
            parts.append(total)

    with cluster(dask_address):
        other = dataclasses.replace(usual, cache=tmp_path / "cluster")
        again = run_audit(tiny, tiny / "queries.jsonl", other, told).report
    assert parts  # it was in parts
    one, two = ({k: v for k, v in audit_dict(r).items() if k != "timings"} for r in (report, again))
    assert dumps(one) == dumps(two)
    vectors = [sorted(Cache(tmp_path / name).folder.glob("vectors-*")) for name in ("one", "cluster")]
    assert [file.name for file in vectors[0]] == [file.name for file in vectors[1]]  # what the workers made is kept here


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_search_for_a_configuration_has_the_same_bytes(dask_address: str, tmp_path: Path) -> None:
    (tmp_path / "space.toml").write_text('chunker = ["sentence(size=40)", "fixed(size=60)"]\nretriever = ["bm25", "lsa"]\n')
    more = {"space": tmp_path / "space.toml", "retriever": "bm25", "tokens": 120, "cache": None}
    one = tune(CORPUS, QUERIES, **more)
    with cluster(dask_address):
        other = tune(CORPUS, QUERIES, **more)
    as_json = [dumps({k: v for k, v in tune_dict(found).items() if k != "timings"}) for found in (one, other)]
    assert as_json[0] == as_json[1]


# When an engine cannot


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_task_that_kills_its_workers_ends_in_one_line_and_others_are_done(engine: str) -> None:
    tasks = [("__import__('os').kill(__import__('os').getpid(), 9)",), ("1",)]
    with pytest.raises(UsageError, match=r"the cluster gave up .* the same command goes on from there") as e:
        list(results(eval, tasks))
    assert "\n" not in str(e.value)
    assert list(results(eval, [("2",)])) == [(0, 2)]  # the engine goes on


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_workers_are_not_watched_and_bring_errors_back_whole(engine: str) -> None:
    watched = "sum(each.name == 'watch' for each in __import__('threading').enumerate())"
    assert [n for _, n in results(eval, [(watched,)] * 3)] == [0] * 3
    with pytest.raises(SpecError, match="unknown retriever 'bm52'; did you mean 'bm25'"):
        list(results(make, [("retrievers", "bm52")]))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_other_software_on_a_worker_is_refused(dask_address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = tuple(f"{one.rsplit(' ', 1)[0]} 0.0.1" if one.startswith("numpy ") else one for one in software())
    monkeypatch.setattr(engines, "software", lambda: theirs)
    with cluster(dask_address), pytest.raises(UsageError, match=r"has numpy .*, and this machine numpy 0\.0\.1.*the same on all"):
        list(results(len, [([],)]))


def run(address: str, *more: str) -> Result:
    command = ["audit", str(CORPUS), str(QUERIES), "--retriever", "bm25", "--no-cache", "--cluster", address, *more]
    return CliRunner().invoke(main, command, prog_name="ragdiag")


def said(result: Result) -> str:
    assert result.exit_code == 2, result.output
    (line,) = result.stderr.splitlines()
    return line


@pytest.fixture
def mute() -> Iterator[int]:
    """The port of a server that listens and says nothing."""
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize(
    "address", ["nowhere", "http://127.0.0.1:80", "tcp:", "ray:there", "tcp://", "tcp://host", "ray://[", "tcp://h:x"]
)
def test_what_is_no_address(address: str) -> None:
    assert "is no address of a cluster" in said(run(address))


@pytest.mark.parametrize(("scheme", "package"), [("tcp", "distributed"), ("tls", "distributed"), ("ray", "ray")])
def test_where_nobody_answers(scheme: str, package: str) -> None:
    pytest.importorskip(package)
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]
    assert f"no cluster answers at {scheme}://127.0.0.1:{port} (" in said(run(f"{scheme}://127.0.0.1:{port}"))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_where_something_else_answers(mute: int) -> None:
    pytest.importorskip("distributed")
    assert "no scheduler of Dask" in said(run(f"tcp://127.0.0.1:{mute}"))


@pytest.mark.parametrize(("address", "package", "extra"), [("tcp://h:1", "distributed", "dask"), ("ray:local", "ray", "ray")])
def test_an_engine_that_is_not_installed(address: str, package: str, extra: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    assert f"{package} is not installed: pip install './ragdiag[{extra}]'" in said(run(address))


def test_jobs_are_of_this_machine() -> None:
    command = ["compare", str(CORPUS), str(QUERIES), "--jobs", "2", "--cluster", "tcp://127.0.0.1:1"]
    assert "--jobs counts processes of this machine" in said(CliRunner().invoke(main, command, prog_name="ragdiag"))


# Without an engine


def test_a_backend_that_gives_all_at_once_is_asked_in_rounds() -> None:
    with joblib.parallel_config("multiprocessing", n_jobs=2):
        assert not distant()
        assert workers() == 1
        assert sorted(results(len, [("a" * n,) for n in range(9)])) == [(n, n) for n in range(9)]


VECTORS = st.dictionaries(st.binary(max_size=4), st.lists(st.floats(-9, 9, width=32), min_size=1, max_size=3), max_size=6)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(["m", "n"]), VECTORS, max_size=2))
def test_what_is_lent_is_what_was_asked_for(known: dict[str, dict[bytes, list[float]]]) -> None:
    own = Borrowed()
    for model, of_model in known.items():
        own.add_vectors(model, {key: np.array(v, dtype=np.float32) for key, v in of_model.items()})
    lender = Recorder(own)
    asked = {model: list(of_model)[::2] for model, of_model in known.items()}
    for model, keys in asked.items():
        lender.vectors(model, [*keys, b"unknown"])
    lent = pickle.loads(pickle.dumps(lender.lent()))
    store = borrowed(lent)
    for model, of_model in known.items():
        found = store.vectors(model, list(of_model))
        assert {key: v.tolist() for key, v in found.items()} == {key: of_model[key] for key in asked[model]}
    assert store.given_back() == {}
    store.add_vectors("m", {b"new": np.ones(2, dtype=np.float32)})
    lender.take_back(store.given_back())
    assert own.vectors("m", [b"new"])[b"new"].tolist() == [1, 1]
    assert borrowed(pickle.loads(pickle.dumps(lent))) is store  # the same for all tasks that are given the same


def test_arrays_are_lent_too() -> None:
    lender = Recorder(None)
    lender.add_arrays("k", {"a": np.arange(3)})
    assert lender.arrays("other") is None
    store = Borrowed(pickle.loads(pickle.dumps(lender.lent())))
    assert store.arrays("k")["a"].tolist() == [0, 1, 2]
    assert sys.getsizeof(Lent({}, {"k": {"a": np.zeros(10**6)}})) > 8 * 10**6  # an engine sends it once, for it is large


def test_files_that_a_configuration_names_travel_with_it(tmp_path: Path) -> None:
    (tmp_path / "mine.jsonl").write_text('{"doc_id": "d", "start": 0, "end": 5}\n')
    options = Options(chunks=tmp_path / "mine.jsonl", retriever="bm25")
    luggage = pickle.loads(pickle.dumps(Luggage.of(options)))
    with unpacked(options, Lent({}, {}), luggage) as (own, _):
        assert own.chunks != options.chunks
        assert Path(own.chunks).name == "mine.jsonl"
        assert Path(own.chunks).read_bytes() == (tmp_path / "mine.jsonl").read_bytes()
        assert own.cache is None
        kept = Path(own.chunks)
    assert not kept.exists()


class Model:
    """Counts letters; its files may be others than those of the caller."""

    described = "letters@1"
    loaded = True

    def __init__(self, identity: str) -> None:
        self.identity = identity

    def made(self, batch: list[str]) -> list[np.ndarray]:
        return [np.array([len(text), len(batch)], dtype=np.float32) for text in batch]


def test_parts_are_made_in_the_batches_of_one_process() -> None:
    wanted = {str(i).encode(): "a" * i for i in range(12)}
    model, store = Model("m"), Borrowed()
    missing = list(wanted)[2:]
    made = made_elsewhere("making", Making(model, model.made, "m", 2), wanted, missing, 2, store, no_progress)
    assert {key: vector.tolist() for key, vector in made.items()} == {key: [len(wanted[key]), 2] for key in missing}
    assert set(store.vectors("m", missing)) == set(missing)  # kept


def test_a_model_with_other_files_is_refused() -> None:
    model = Model("other")
    with pytest.raises(SpecError, match=r"has other files than this machine for the model letters@1"):
        made_elsewhere("making", Making(model, model.made, "m", 2), {b"k": "a"}, [b"k"], 2, None, no_progress)


def test_an_encoder_travels_in_the_precision_that_was_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "model").mkdir()
    monkeypatch.chdir(tmp_path)
    cls, (name, precision, _) = Encoder("model", "bfloat16").__reduce__()
    assert (cls, name, precision) == (Encoder, str(tmp_path / "model"), "bfloat16")
