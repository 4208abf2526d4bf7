"""One process beside Dask and Ray with two and four local workers: embedding, a grid of 24 configurations, a search among 6, and
a corpus ranked in shards, by dense (the texts are embedded) and by bm25 (fifty times as many).

    python tests/bench/cluster.py [TEXTS] [WHAT,...] [ENGINE,...]

Seconds by the clock, CPU-seconds of this process and of all that it started, whether the bytes are those of one process. Each
worker has one thread, and so has the one process: what is compared is how many work. On a machine with fewer free processors
than workers seconds say little, and CPU-seconds how much more has to be done. The last rows kill a worker (-9) in the middle.
"""

# ruff: noqa: E402  # threads and paths are set before others are imported
import os

os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
# As docs/howto/cluster.md says: Dask has its workers give memory back at every turn, which torch then asks for anew.
os.environ |= {"MALLOC_TRIM_THRESHOLD_": "134217728", "MALLOC_MMAP_THRESHOLD_": "33554432"}

import contextlib
import hashlib
import json
import math
import multiprocessing
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from multiprocessing.synchronize import Barrier
from pathlib import Path

import psutil

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))  # workers that are started come by here too

from common import chunk_stream, chunks, paths

sys.path[:] = [path for path in sys.path if Path(path) != HERE]  # beside this file stands an html.py, and Dask wants Python's

from ragdiag.comparing.comparison import compare
from ragdiag.comparing.tuning import tune
from ragdiag.core.cluster import cluster
from ragdiag.core.engines import results
from ragdiag.core.protocols import Progress, no_progress
from ragdiag.reports.json import compare_dict, dumps
from ragdiag.reports.tune import tune_dict
from ragdiag.search.encoder import Encoder
from ragdiag.search.pools import make_pool

ENGINES = ("dask 2", "dask 4", "ray 2", "ray 4")
GRID = {
    "chunkers": [f"{name}(size={size})" for name in ("sentence", "fixed", "recursive") for size in (80, 120, 160, 200)],
    "retrievers": ["bm25", "hybrid(bm25, lsa)"],
}
SPACE = 'chunker = ["sentence(size=80)", "sentence(size=160)", "fixed(size=160)"]\nretriever = ["bm25", "hybrid(bm25, lsa)"]\n'


def embedding(n: int, progress: Progress) -> str:
    """The hash of the vectors of `n` chunks."""
    vectors = Encoder("", "auto").encode(list(dict.fromkeys(chunks(n))), "document", None, progress)
    return hashlib.sha256(vectors.tobytes()).hexdigest()


def grid(_: int, progress: Progress) -> str:
    """The report of a comparison, without its timings."""
    report = compare_dict(compare(*paths("chroma_chunking"), **GRID, cache=None, progress=progress))
    return dumps({name: value for name, value in report.items() if name != "timings"})


def search(_: int, progress: Progress) -> str:
    """The report of a search, without its timings."""
    with tempfile.TemporaryDirectory() as folder:
        space = Path(folder) / "space.toml"
        space.write_text(SPACE)
        found = tune(*paths("chroma_chunking"), space=space, retriever="bm25", cache=None, progress=progress)
    return dumps({name: value for name, value in tune_dict(found).items() if name != "timings"})


def shards(n: int, progress: Progress) -> str:
    """The hash of a pool of `n` chunks, of which dense ranks all."""
    return pooled(n, "dense", progress)


def words(n: int, progress: Progress) -> str:
    """The same by bm25, of fifty times as many."""
    return pooled(50 * n, "bm25", progress)


def pooled(n: int, tops: str, progress: Progress) -> str:
    """What is ranked first of `n` chunks for 300 queries, and the pool."""
    with tempfile.TemporaryDirectory() as folder:
        corpus, queries = Path(folder) / "corpus.jsonl", Path(folder) / "queries.jsonl"
        with corpus.open("w") as documents, queries.open("w") as asked:
            for i, text in enumerate(chunk_stream(n)):
                documents.write(json.dumps({"_id": f"d{i}", "text": text}) + "\n")
                if i < 300:
                    query = {"_id": f"q{i}", "text": text[:60], "relevant": [{"doc_id": f"d{i}", "grade": 1}]}
                    asked.write(json.dumps(query) + "\n")
        make_pool(corpus, queries, Path(folder) / "pool", tops=[tops], cache=None, progress=progress)
        files = sorted((Path(folder) / "pool").iterdir())
        return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


WHAT: dict[str, Callable[[int, Progress], str]] = {
    "embedding": embedding,
    "grid": grid,
    "tune": search,
    "shards": shards,
    "words": words,
}


@contextlib.contextmanager
def engine(name: str) -> Iterator[None]:
    """Within it, an engine with so many workers does the work."""
    kind, n = name.split()
    if kind == "dask":
        from dask.distributed import LocalCluster

        with (
            LocalCluster(
                n_workers=int(n), threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1"
            ) as made,
            cluster(made.scheduler_address),
        ):
            yield
    else:
        import ray

        with cluster("ray:local"):
            assert ray.cluster_resources()["CPU"] == int(n) or _resized(int(n))
            yield


def _resized(n: int) -> bool:
    """A local cluster of Ray with other than as many workers as there are processors."""
    import ray

    ray.shutdown()
    ray.init(address="local", include_dashboard=False, log_to_driver=False, num_cpus=n, _node_ip_address="127.0.0.1")
    return True


def spent() -> float:
    """CPU-seconds so far of this process and of all that it started and that live."""
    of_each = []
    for process in [psutil.Process(), *psutil.Process().children(recursive=True)]:
        with contextlib.suppress(psutil.Error):
            of_each.append(sum(process.cpu_times()[:2]))
    return sum(of_each)


def timed(what: str, n: int, progress: Progress = no_progress) -> tuple[float, float, str]:
    """Seconds, CPU-seconds and the result."""
    started, before = time.perf_counter(), spent()
    result = WHAT[what](n, progress)
    return time.perf_counter() - started, spent() - before, result


def half(n: int, half: int, ready: Barrier) -> None:
    """Embed one half of the texts, once both processes are ready to."""
    encoder, texts = Encoder("", "auto"), list(dict.fromkeys(chunks(n)))
    encoder.encode(["warm"], "document", None, no_progress)
    ready.wait()
    encoder.encode(texts[half::2], "document", None, no_progress)
    ready.wait()


def by_two(n: int) -> float:
    """Seconds in which two processes embed half each, and nobody hands anything out: what two workers could come to here."""
    started = multiprocessing.get_context("spawn")
    ready = started.Barrier(3)
    both = [started.Process(target=half, args=(n, i, ready), daemon=True) for i in range(2)]
    for each in both:
        each.start()
    ready.wait()
    since = time.perf_counter()
    ready.wait()
    took = time.perf_counter() - since
    for each in both:
        each.join()
    return took


def killer(pids: list[int]) -> tuple[Progress, list[int]]:
    """Progress that kills one of `pids` when a first result has come."""
    killed: list[int] = []

    def progress(what: str, done: int, total: int) -> None:
        if 0 < done < total and not killed and what.startswith(("embedding documents", "measuring", "choosing")):
            killed.append(pids[0])
            os.kill(pids[0], signal.SIGKILL)

    return progress, killed


def main() -> None:
    """One row for each way."""
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    whats = sys.argv[2].split(",") if len(sys.argv) > 2 else list(WHAT)
    engines = sys.argv[3].split(",") if len(sys.argv) > 3 else list(ENGINES)
    Encoder("", "auto").encode(["warm"], "document", None, no_progress)
    alone = {what: timed(what, n) for what in whats}
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors, {n} texts", flush=True)
    print(f"{'':10} {'':16} seconds    CPU  faster  bytes")
    for what in whats:
        print(f"{what:10} {'one process':16} {alone[what][0]:7.1f} {alone[what][1]:6.1f}", flush=True)
    if "embedding" in whats:
        took = by_two(n)
        print(f"{'embedding':10} {'two, no engine':16} {took:7.1f} {'':6} {alone['embedding'][0] / took:6.2f}x", flush=True)
    for name in engines:
        with engine(name):
            pids = sorted(
                {pid for _, pid in results(eval, [("__import__('time').sleep(.3) or __import__('os').getpid()",)] * 16)}
            )
            if {"embedding", "shards"} & set(whats):
                Encoder("", "auto").encode([f"warm {i}" for i in range(1000)], "document", None, no_progress)  # models are loaded
            for what in whats:
                row(what, name, alone[what], timed(what, n))
            for what in (w for w in whats if name.endswith("2") and w != "tune"):
                progress, killed = killer(pids)
                once = timed(what, n, progress)
                row(what, f"{name}, one killed", alone[what], (once[0], math.nan, once[2]))  # what the dead one spent is gone
                assert killed, "nothing was killed"
                pids = pids[1:]


def row(what: str, name: str, alone: tuple[float, float, str], this: tuple[float, float, str]) -> None:
    same = "same" if alone[2] == this[2] else "DIFFERENT"
    print(f"{what:10} {name:16} {this[0]:7.1f} {this[1]:6.1f} {alone[0] / this[0]:6.2f}x  {same}", flush=True)


if __name__ == "__main__":
    main()
