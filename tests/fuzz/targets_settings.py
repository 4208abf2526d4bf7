"""What says how something is measured: configuration, specs, gates, measures, rules of form, reports, models' files, caches."""

import functools
import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from targets import FIXTURES, Target, fresh, from_file, inside, seed

TOML, PYPROJECT, SPACE = seed("ragdiag.toml"), seed("pyproject.toml"), seed("space.toml")
SPECS, GATES = seed("specs.txt"), seed("gates.txt")
RULES = {
    "format": {
        "regex": ["\\d+ bar.*"],
        "max_words": 20,
        "json_schema": {"type": "object", "properties": {"answer": {"type": "string", "pattern": "^a"}}, "required": ["answer"]},
    },
    "style": {"must_match": "bar", "must_not_contain": ["sorry"], "min_characters": 1},
    "tone": {"must_not_match": ["(?i)dear"]},
    "vocabulary": {"must_contain": "a"},
}
MODEL = {
    "architectures": ["BertModel"],
    "hidden_size": 8,
    "tokenizer_class": "BertTokenizer",
    "auto_map": None,
    "max_seq_length": 128,
}
MODULES = [
    {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
    {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
]
BASELINE = {
    "ragdiag": "0.1.0",
    "signature": "s",
    "queries": {"t1": {"asked": "0a1b2c3d4e5f", "values": {"Sufficient@5": 1.0, "RR": None}}},
}
TUNED = {
    "decision": {"chosen": "sentence | lsa", "difference": {"n": 9}, "needed": 4},
    "baseline": "sentence | lsa",
    "best": "sentence | bm25",
    "pipeline": {"k": 5, "budget": None},
    "tokens": 800,
    "seed": 3,
    "configs": [
        {"name": "sentence | bm25", "chunker": "sentence", "context": "", "retriever": "bm25"},
        {"name": "sentence | lsa", "chunker": "sentence", "context": "none", "retriever": "lsa"},
    ],
    "contrasts": [{"a": "sentence | lsa", "b": "sentence | bm25", "n": 9, "needed": 4}],
}
VERDICT = {
    "verdict": {
        "kind": "RETRIEVAL",
        "secondary": None,
        "share": {"mean": 0.5, "low": 0.25, "high": 0.75, "n": 20},
        "needed": 30,
        "errors": "none",
    }
}


def configured(name: str) -> Callable[[bytes, Path], object]:
    """A folder's configuration of that name, as every command begins with it; nothing in it may write, connect or run code."""

    def run(data: bytes, folder: Path) -> object:
        from ragdiag.cli.commands import main
        from ragdiag.cli.config import CONFIGURABLE, Does, Option, read_configuration

        options_of: dict[str, Sequence[Option]] = {
            n: [p for p in c.params if isinstance(p, Option)] for n, c in main.commands.items()
        }
        with fresh(folder) as own, inside(own):
            (own / name).write_bytes(data)
            configuration = read_configuration()
            if configuration is None:
                return "none"
            defaults = configuration.defaults(options_of)
        for command, given in defaults.items():
            for option in options_of[command]:
                if str(option.name) in given:
                    assert option.does in CONFIGURABLE, option.name
                    if option.does is Does.CHOOSES:
                        stays(option, given[str(option.name)], configuration)
        return f"{sorted({key for given in defaults.values() for key in given})[:3]}"

    return run


def stays(option: Any, value: object, configuration: Any) -> None:
    """A strategy of the configuration is refused, or leads nowhere else."""
    from ragdiag.core.options import NO_SWAP
    from ragdiag.core.registry import make
    from ragdiag.core.remote import remote_part

    specs = [value] if isinstance(value, str) else value
    option._stay_here(configuration, specs)
    for spec in specs if isinstance(specs, list) else ():
        assert spec == NO_SWAP or not remote_part(make(option.family, spec)), spec


def specs(data: bytes, folder: Path) -> object:
    """A line, as a spec of every family: what it makes is written as a spec that makes the same."""
    from ragdiag.core.errors import SpecError
    from ragdiag.core.registry import make, spec_of

    made, refused = [], None
    for line in data.decode("utf-8", "replace").split("\n")[:2]:
        for family in ("retrievers", "chunkers", "contexts", "judges", "failures", "outputs"):
            try:
                strategy = make(family, line)
            except SpecError as e:
                refused = e
                assert len(str(e).splitlines()) == 1
                continue
            for full in (False, True):
                assert make(family, spec_of(strategy, full)) == strategy, spec_of(strategy, full)
            made.append(type(strategy).__name__)
    if not made and refused:
        raise refused
    return f"{made[:2]}"


def spaces(path: Path) -> object:
    """Axes of a search, combined."""
    from ragdiag.comparing.space import read_space
    from ragdiag.core.options import Options

    space = read_space(path)
    if len(space.chunker) * len(space.context or "x") * len(space.retriever or "x") * len(space.step or "x") < 500:
        space.configurations(Options(retriever="bm25", cache=None))
    return "a space"


def gates(data: bytes, folder: Path) -> object:
    """Lines, as gates and as measures, each of which prints and reads back."""
    from ragdiag.core.errors import UsageError
    from ragdiag.scoring.gates import Gate
    from ragdiag.scoring.measures import Measure

    n, refused = 0, None
    for line in data.decode("utf-8", "replace").split("\n")[:20]:
        for parse in (Gate.parse, Measure.parse):
            try:
                made: Any = parse(line)
            except UsageError as e:
                refused = e
                continue
            measure = made.measure if isinstance(made, Gate) else made
            assert Measure.parse(str(measure)) == measure or measure.tau != round(measure.tau, 6)
            n += 1
    if not n and refused:
        raise refused
    return n


def rules(path: Path) -> object:
    """Rules of form, held against answers."""
    from ragdiag.answering.rules import broken, load_rules

    read = load_rules(path)
    for answer in ("40 bar", '{"answer": "a"}', "[1, [2]]", ""):
        broken(read, answer)
    return f"{min(len(read), 9)} rules"


def report(path: Path) -> object:
    """The JSON report of an audit, in every place that reads one: diff, a review, another audit's health."""
    from ragdiag.comparing.changes import compared
    from ragdiag.comparing.reported import read_report

    read = read_report(path)
    found = compared(read, read)
    assert found is not None
    return f"{min(len(read.queries), 3)} queries"


def reviewed(path: Path) -> object:
    """The same report, from which queries are drawn for a review."""
    from ragdiag.label.drawing import open_review

    corpus, queries, out = (
        FIXTURES / "tiny" / "corpus.jsonl",
        FIXTURES / "tiny" / "queries.jsonl",
        path.with_name("reviewed.jsonl"),
    )
    out.unlink(missing_ok=True)
    review, _ = open_review(corpus, queries, path, out, ("bm25",), None)
    review.corrected()
    return f"{len(review.tasks)} to review"


def drawn(path: Path) -> object:
    """Two configurations of a report, between which questions are drawn."""
    from ragdiag.core.options import Options
    from ragdiag.label.between import read_between

    between = read_between([str(path)], Options(retriever="bm25", cache=None))
    return f"{between.sized}"


def decided(path: Path) -> object:
    """The verdict of a report, from which the interview starts."""
    from ragdiag.cli.interview import _verdict
    from ragdiag.deciding.decision import Answer, decide

    decision = decide({"changes": Answer("weekly")} if path.stat().st_size % 2 else {}, _verdict(str(path)))
    return f"{decision.recommended if hasattr(decision, 'recommended') else ''}"


def baseline(path: Path) -> object:
    """A baseline of the pytest plugin."""
    from ragdiag.testing.baselines import _number, _read

    signature, queries = _read(path)
    for row in queries.values():
        [_number(value) for value in row["values"].values()]
    return f"{len(queries)} {len(signature) > 0}"


def model_folder(name: str) -> Callable[[bytes, Path], object]:
    """A model's folder with that file: refused, or none of its files names code."""

    def run(data: bytes, folder: Path) -> object:
        from ragdiag.search.model_files import _check, checked, setting

        _check.cache_clear()
        with fresh(folder) as own:
            (own / "model.safetensors").write_bytes(b"")
            (own / name).write_bytes(data)
            checked(own)
            return f"{type(setting(own / name, 'max_seq_length')).__name__}" if name == "config.json" else "checked"

    return run


ARRAYS = ("plain", "served")


@functools.cache
def sound_arrays() -> bytes:
    import tempfile

    import numpy as np

    from ragdiag.core.cache import Cache

    with tempfile.TemporaryDirectory() as folder:
        Cache(folder).add_arrays("key", {"plain": np.arange(40, dtype=np.uint8), "served": np.array([0.5, 1.5])})
        return (Path(folder) / "key.npz").read_bytes()


def cached_arrays(data: bytes, folder: Path) -> object:
    """A file of arrays that somebody changed: given as it was kept, or not at all."""
    from ragdiag.core.cache import Cache

    with fresh(folder) as own:
        cache = Cache(own)
        (own / "key.npz").write_bytes(data)
        arrays = cache.arrays("key")
    assert arrays is None or data == sound_arrays()
    return "known" if arrays else "made again"


KEYS = tuple(hashlib.blake2b(bytes([i]), digest_size=16).digest() for i in range(20))


@functools.cache
def sound_vectors() -> tuple[str, bytes]:
    import tempfile

    import numpy as np

    from ragdiag.core.cache import Cache

    with tempfile.TemporaryDirectory() as folder:
        Cache(folder).add_vectors("model", {key: np.full(8, i, dtype=np.float32) for i, key in enumerate(KEYS)})
        (path,) = Path(folder).glob("*.sqlite")
        return path.name, path.read_bytes()


def cached_vectors(data: bytes, folder: Path) -> object:
    """A database of vectors that somebody changed: each vector as it was kept, or not at all; then it can be written."""
    import numpy as np

    from ragdiag.core.cache import Cache

    with fresh(folder) as own:
        cache = Cache(own)
        (own / sound_vectors()[0]).write_bytes(data)
        vectors = cache.vectors("model", KEYS)
        for key, vector in vectors.items():
            assert vector.tolist() == [KEYS.index(key)] * 8
        cache.add_vectors("model", {KEYS[0]: np.zeros(8, dtype=np.float32)})
        assert cache.vectors("model", KEYS[:1])[KEYS[0]].tolist() == [0] * 8
    return f"{len(vectors)} of {len(KEYS)}"


def replied(data: bytes, folder: Path) -> object:
    """What an endpoint answers: a chat completion, vectors, scores; anything else is a failure by name."""
    from ragdiag.core.errors import UsageError
    from ragdiag.core.prompt import content
    from ragdiag.core.replies import kept
    from ragdiag.search.endpoint import _vectors
    from ragdiag.search.scorers import _scores

    try:
        body = json.loads(data)
    except (ValueError, RecursionError) as e:
        raise UsageError("no JSON") from e
    kept(content(body))
    found = []
    for read in (_vectors, _scores):
        try:
            found.append(len(read(body)))
        except (KeyError, TypeError):
            found.append(-1)
    return f"{[n > 0 for n in found]}"


@functools.cache
def audited() -> bytes:
    """The report of an audit in which some queries fail."""
    from ragdiag.pipeline import audit
    from ragdiag.reports.json import audit_dict

    folder = FIXTURES / "tiny"
    made = audit_dict(audit(folder / "corpus.jsonl", folder / "queries.jsonl", retriever="bm25", k=1, cache=None))
    made["queries"] = made["queries"][:6]
    return json.dumps(made).encode()


REPLIES = [
    {"choices": [{"message": {"content": "40"}, "finish_reason": "length"}]},
    {"data": [{"index": 0, "embedding": [0.1, 0.2]}, {"index": 1, "embedding": [1, 2]}]},
    {"results": [{"index": 1, "relevance_score": 0.5}, {"index": 0, "relevance_score": 1}]},
]
SPEC_WORDS = (
    b"(",
    b")",
    b"=",
    b",",
    b"'",
    b'"',
    b"*[1]",
    b"**{}",
    b"(((((((((",
    b"lambda: 0",
    b"model='http://h/v1#m'",
    b"model=os:system",
    b"path='/etc'",
    b"9**9**9",
    b"'a'*9",
    b"-",
    b"~",
    b"f'{1}'",
    b"1j",
    b"...",
)
TOML_WORDS = (
    b"[a.b]\n",
    b"[[a]]\n",
    b"x = ",
    b"'''",
    b'"""',
    b"= [",
    b"{a = 1}",
    b"1979-05-27T07:32:00Z",
    b"0x",
    b"1e400",
    b"json = 'x'\n",
    b"live = 'http://h'\n",
    b"search = 'os:system'\n",
    b"cache = '/tmp/x'\n",
    b"yes = true\n",
    b"retriever = 'chroma(collection=x, path=y)'\n",
    b"swap = 'dense(model=x/y)'\n",
    b"tool.ragdiag.k = 3\n",
    b"run = '/etc/passwd'\n",
)

TARGETS = [
    Target("ragdiag.toml", lambda: [TOML], configured("ragdiag.toml"), (*TOML_WORDS, *SPEC_WORDS)),
    Target("pyproject.toml", lambda: [PYPROJECT], configured("pyproject.toml"), (*TOML_WORDS, *SPEC_WORDS)),
    Target("space of tune", lambda: [SPACE], from_file("space.toml", spaces), TOML_WORDS, 0.5),
    Target("specs", lambda: [SPECS, *SPECS.splitlines()], specs, SPEC_WORDS, 0.2, most=20_000),
    Target(
        "gates and measures", lambda: [GATES, *GATES.splitlines()], gates, (b"@", b"tok", b"(tau=", b".low", b".corrected", b"=")
    ),
    Target(
        "rules of form",
        lambda: [json.dumps(RULES).encode()],
        from_file("rules.json", rules),
        (b"(?:", b"(a+)+$", b'"$ref": "http://127.0.0.1:9/x"', b'"$ref": "#/x"', b'"$dynamicRef": "#"', b"{9999999}"),
    ),
    Target("report: diff", lambda: [audited()], from_file("report.json", report)),
    Target("report: review", lambda: [audited()], from_file("report.json", reviewed), weight=0.4),
    Target(
        "report: questions between two",
        lambda: [
            json.dumps(TUNED).encode(),
            json.dumps({key: value for key, value in TUNED.items() if key != "decision"}).encode(),
        ],
        from_file("tuned.json", drawn),
    ),
    Target(
        "report: decide",
        lambda: [json.dumps(VERDICT).encode(), json.dumps(VERDICT["verdict"]).encode()],
        from_file("litmus.json", decided),
    ),
    Target("report: baseline of pytest", lambda: [json.dumps(BASELINE).encode()], from_file("baseline.json", baseline)),
    Target(
        "model: config.json",
        lambda: [json.dumps(MODEL).encode()],
        model_folder("config.json"),
        (b'"auto_map": "x"', b"trust_remote_code", b"_attn_implementation"),
    ),
    Target(
        "model: modules.json",
        lambda: [json.dumps(MODULES).encode()],
        model_folder("modules.json"),
        (b'"type": "os.system"', b'"path": "/etc"'),
    ),
    Target("cache: arrays", lambda: [sound_arrays()], cached_arrays),
    Target("cache: vectors", lambda: [sound_vectors()[1]], cached_vectors, weight=0.3),
    Target("replies of endpoints", lambda: [json.dumps(reply).encode() for reply in REPLIES], replied),
]
