"""Which precision a model runs in: by stand-ins for the model, the clock and the processor. Nothing is timed."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from ragdiag.core.cache import Cache
from ragdiag.core.protocols import Store, no_progress
from ragdiag.search import encoder, precision
from ragdiag.search.encoder import Encoder
from ragdiag.search.lengths import LEAST
from ragdiag.search.precision import Processor, chosen, kept_in

READ = vars(Processor)["here"].__func__
"""As it is: fast tests have another one."""

ZEN = Processor("Zen 4", ("avx2", "avx512_bf16"))


class Machine:
    """How long a batch takes in each precision, and the cosine of a text's two vectors; counts what is embedded."""

    def __init__(self) -> None:
        self.now, self.takes, self.cosine, self.embedded = 0.0, {"float32": 2.0, "bfloat16": 1.0}, 1.0, 0

    def embedder(self, name: str) -> Callable[[list[str]], np.ndarray]:
        def embed(texts: list[str]) -> np.ndarray:
            self.now += self.takes[name]
            self.embedded += 1
            other = self.cosine if name == "bfloat16" else 1.0
            vectors = np.tile(np.array([1.0, 0.0], dtype=np.float32), (len(texts), 1))
            vectors[-1] = other, np.sqrt(1 - other**2)  # one text alone: the smallest counts
            return vectors

        return embed


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    """A processor that multiplies bfloat16, twice as fast; nothing was chosen before, and nothing is kept."""
    made = Machine()
    monkeypatch.setattr(precision.time, "process_time", lambda: made.now)
    monkeypatch.setattr(precision.importlib.metadata, "version", lambda _: "2.13.0")
    on(monkeypatch, ZEN)
    kept_in(None)
    forget()
    yield made
    kept_in(None)
    forget()


def on(monkeypatch: pytest.MonkeyPatch, processor: Processor) -> None:
    monkeypatch.setattr(Processor, "here", classmethod(lambda _: processor))


def forget() -> None:
    """As in another process."""
    precision._DECISIONS.known.clear()


@pytest.mark.parametrize(
    ("half", "cosine", "expected"),
    [
        (1.0, 1.0, "bfloat16"),
        (2.0 / 1.2, 1.0, "bfloat16"),
        (1.7, 1.0, "float32"),  # 1.18 times as fast: another turn of the clock might say otherwise
        (6.0, 1.0, "float32"),
        (1.0, 0.99986, "bfloat16"),  # .9999 to four decimals
        (1.0, 0.99984, "float32"),
        (1.0, 0.9, "float32"),
    ],
)
def test_the_faster_one_at_equal_vectors(machine: Machine, half: float, cosine: float, expected: str) -> None:
    machine.takes["bfloat16"], machine.cosine = half, cosine
    assert chosen("m", machine.embedder) == expected


def test_a_disturbed_turn_does_not_count(machine: Machine) -> None:
    calls = iter([1.0, 9.0, 1.0])  # what loads, a turn in which something else ran, an undisturbed one

    def embedder(name: str) -> Callable[[list[str]], np.ndarray]:
        embed = machine.embedder(name)

        def disturbed(texts: list[str]) -> np.ndarray:
            machine.takes["bfloat16"] = next(calls)
            return embed(texts)

        return disturbed if name == "bfloat16" else embed

    assert chosen("m", embedder) == "bfloat16"


def test_measured_once_for_a_process_and_once_for_a_store(machine: Machine, tmp_path: Path) -> None:
    assert [chosen("m", machine.embedder) for _ in range(3)] == ["bfloat16"] * 3
    once = machine.embedded
    assert once == 2 * (1 + precision.TURNS)
    kept_in(Cache(tmp_path))
    chosen("m", machine.embedder)
    assert machine.embedded == once  # known in this process, and kept now
    forget()
    machine.takes["bfloat16"] = 5.0
    assert chosen("m", machine.embedder) == "bfloat16"  # what was chosen stands, so that vectors stay of one precision
    assert machine.embedded == once
    forget()
    kept_in(None)
    assert chosen("m", machine.embedder) == "float32"


@pytest.mark.parametrize("change", ["model", "torch", "name", "flags"])
def test_whatever_it_depends_on_is_measured_anew(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    kept_in(Cache(tmp_path))
    assert chosen("m", machine.embedder) == "bfloat16"
    forget()
    machine.takes["bfloat16"] = 5.0
    if change == "torch":
        monkeypatch.setattr(precision.importlib.metadata, "version", lambda _: "2.14.0")
    elif change != "model":
        on(monkeypatch, ZEN._replace(name="Zen 5") if change == "name" else ZEN._replace(flags=("avx512_bf16",)))
    assert chosen("other" if change == "model" else "m", machine.embedder) == "float32"
    assert len(list(tmp_path.glob("*.npz"))) == 2


@pytest.mark.parametrize("damage", [b"", b"no zip file", None])
def test_what_is_damaged_is_measured_anew(machine: Machine, tmp_path: Path, damage: bytes | None) -> None:
    kept_in(Cache(tmp_path))
    chosen("m", machine.embedder)
    (file,) = tmp_path.glob("*.npz")
    whole = file.read_bytes()
    file.write_bytes(bytes([whole[0] ^ 1]) + whole[1:] if damage is None else damage)
    forget()
    before = machine.embedded
    assert chosen("m", machine.embedder) == "bfloat16"
    assert machine.embedded > before
    assert file.read_bytes() == whole  # kept again, as it was


def test_nothing_is_measured_where_bfloat16_is_not_multiplied(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    for processor in (Processor("Xeon", ("avx512f",)), Processor("", ())):
        on(monkeypatch, processor)
        assert chosen("m", machine.embedder) == "float32"
    assert not machine.embedded


def test_nothing_is_measured_without_torch(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise precision.importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(precision.importlib.metadata, "version", missing)
    assert chosen("m", machine.embedder) == "float32"
    assert not machine.embedded


def test_what_is_said_of_a_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = "model name\t: Zen 4\nflags\t\t: avx512_bf16 avx2\n", "model name\t: other\nflags\t\t: fpu\n"
    said = f"processor\t: 0\n{first}\nprocessor\t: 1\n{second}"
    monkeypatch.setattr(Path, "read_text", lambda path, **_: said if path == Path("/proc/cpuinfo") else "")
    assert READ(Processor) == ZEN

    def none(path: Path, **_: str) -> str:
        raise FileNotFoundError(path)

    monkeypatch.setattr(Path, "read_text", none)
    assert READ(Processor) == Processor("", ())


def test_an_encoder_takes_what_is_asked_for_and_else_what_is_chosen(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "config.json").write_text("{}")
    loads: list[str] = []

    class Model:
        def __init__(self, name: str) -> None:
            self._embed = machine.embedder(name)

        def encode_document(self, texts: list[str], **_: object) -> np.ndarray:
            return self._embed(texts)

    def load(kind: str, folder: Path, name: str, instead: str) -> Model:
        loads.append(name)
        return Model(name)

    monkeypatch.setattr(encoder, "load_model", load)
    monkeypatch.setattr(Encoder, "_lengths", lambda _, texts, kind: [LEAST] * len(texts))
    for name in ("float32", "bfloat16"):
        assert Encoder(str(tmp_path), name).precision == name
    assert not loads
    auto = Encoder(str(tmp_path), "auto")
    assert auto.identity == Encoder(str(tmp_path), "bfloat16").identity
    assert auto.described.endswith(":bfloat16")
    assert loads == ["float32", "bfloat16"]


def test_a_store_that_is_gone_stops_nothing(machine: Machine, tmp_path: Path) -> None:
    kept_in(Cache(tmp_path / "gone"))
    shutil.rmtree(tmp_path / "gone", ignore_errors=True)
    assert chosen("m", machine.embedder) == "bfloat16"


def test_it_is_looked_for_once_a_store_not_once_a_query(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking reads files: a query's time would be measured with it."""
    asked, found = list[Store | None](), Encoder("", "auto")
    monkeypatch.setattr(encoder, "identity_of", lambda folder: "m")
    monkeypatch.setattr(encoder, "chosen", lambda model, embedder, store=None: asked.append(store) or "float32")
    monkeypatch.setattr(Encoder, "folder", tmp_path)
    monkeypatch.setattr(Encoder, "_embed", lambda self, batch, kind: np.ones((len(batch), 2), dtype=np.float32))
    one, other = Cache(tmp_path / "1"), Cache(tmp_path / "2")
    for store in (one, one, None, one, other):
        found.encode(["a query"], "query", store, no_progress)
    assert [store for store in asked if store is not None] == [one, other]


def test_it_is_kept_with_the_vectors(machine: Machine, tmp_path: Path) -> None:
    """Another process that has the vectors' store, and nothing else, knows whose they are."""
    assert chosen("m", machine.embedder, Cache(tmp_path)) == "bfloat16"
    forget()
    before = machine.embedded
    assert chosen("m", machine.embedder, Cache(tmp_path)) == "bfloat16"
    assert chosen("m", machine.embedder) == "bfloat16"
    assert machine.embedded == before
