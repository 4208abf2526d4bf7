"""A connection to PostgreSQL that only reads, and what goes wrong with it, in words that hold no secret."""

from __future__ import annotations

import contextlib
import os
import re
import weakref
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ragdiag.core.errors import MissingExtra, RagdiagError, SpecError
from ragdiag.core.registry import require

if TYPE_CHECKING:
    import psycopg

DSNS = ("RAGDIAG_PG_DSN", "DATABASE_URL")
OF_LIBPQ = ("PGSERVICE", "PGHOST", "PGHOSTADDR")

MANNERS = {"default_transaction_read_only": "on", "idle_in_transaction_session_timeout": "5min"}
"""What holds for a session: it cannot write, and a reading that was given up does not stay open."""

REASONS = {
    "definition of service": "no such service is in pg_service.conf; define it there, or correct the name",
    "service file": "pg_service.conf cannot be read; correct it, or PGSERVICEFILE",
    "password": "the server wants another password; give it in ~/.pgpass or PGPASSWORD",
    "no pg_hba.conf entry": "the server admits no such user from here; ask who runs it",
    "does not exist": "the server has no such database or user; correct PGDATABASE or PGUSER",
    "translate host name": "no such host is known; correct PGHOST",
    "resolve host": "no such host is known; correct PGHOST",
    "timeout": "the server does not answer; check PGHOST, PGPORT and the network",
    "refused": "no server listens there; start it, or correct PGHOST and PGPORT",
    "No such file": "no server listens there; start it, or correct PGHOST and PGPORT",
    "SSL": "the server and PGSSLMODE do not agree; correct PGSSLMODE",
    "too many": "the server has no connection left; wait, or close some",
}
"""What libpq says, in part, and what is said of it: its own words may hold the address that it was given, password and all."""


def psycopg_library() -> Any:
    """Psycopg as a module. Raises `MissingExtra` where it, or the libpq that it needs, is not there."""
    try:
        return require("psycopg", "pgvector")
    except ImportError as e:
        raise MissingExtra("psycopg-binary", "pgvector") from e


class Connection:
    """A connection that is opened when first asked for, only reads, and is closed when this goes."""

    def __init__(self, settings: Mapping[str, str], service: str) -> None:
        self._settings, self._service = settings, service
        self._connection: psycopg.Connection | None = None
        self._held = contextlib.ExitStack()
        weakref.finalize(self, self._held.close)

    @cached_property
    def place(self) -> str:
        """The service, or host and database, that it leads to; never a password or an address as it was given."""
        if self._service:
            return f"service {self._service}"
        psycopg = psycopg_library()
        usual = {each.keyword.decode(): (each.val or b"").decode() for each in psycopg.pq.Conninfo.get_defaults()}
        try:
            known = usual | psycopg.conninfo.conninfo_to_dict(_dsn()[1])
        except psycopg.Error:
            return _dsn()[0]
        host = known.get("host") or known.get("hostaddr") or "this machine"
        database = str(known.get("dbname") or known.get("user"))
        return f"postgresql {host}/{database}" if re.fullmatch(r"[\w.-]+", database) else f"postgresql {host}"

    def opened(self) -> psycopg.Connection:
        """The connection as psycopg gives it. Raises `RagdiagError` in words that hold no secret, `SpecError` for settings."""
        if self._connection is None:
            self._connection = self._made()
        return self._connection

    def _made(self) -> psycopg.Connection:
        library = psycopg_library()
        given = {"service": self._service} if self._service else {}
        reason = ""
        connection: psycopg.Connection | None = None
        try:
            connection = library.connect(
                "" if given else _dsn()[1],
                **given,
                autocommit=True,
                prepare_threshold=None,  # a prepared query may be planned without the index
                client_encoding="utf8",
                fallback_application_name="ragdiag",
            )
        except (library.Error, UnicodeError) as e:
            reason = next(
                (words for said, words in REASONS.items() if said in str(e)), "check PGHOST, PGPORT, PGDATABASE, PGUSER"
            )
        if connection is None:  # raised here, so that the error does not hold psycopg's own
            raise RagdiagError(f"{self.place}: cannot connect: {reason}")
        self._held.callback(connection.close)
        try:
            for name, value in MANNERS.items():
                connection.execute("SELECT set_config(%s, %s, false)", [name, value])
            _load(connection, self.place)
            for name, value in self._settings.items():
                connection.execute("SELECT set_config(%s, %s, false)", [name, value])
        except library.Error as e:
            raise refusal(e, self.place, "settings") from e
        return connection


def _dsn() -> tuple[str, str]:
    """The variable that names the database, and what it holds; both empty where libpq's own do."""
    for name in DSNS:
        text = os.environ.get(name, "").strip()
        if name == "DATABASE_URL" and any(map(os.environ.get, OF_LIBPQ)):
            break
        if text and (name != "DATABASE_URL" or re.match(r"postgres(ql)?[+:]", text)):
            return name, re.sub(r"^(postgres(?:ql)?)\+\w+:", r"\1:", text)  # postgresql+psycopg:, as SQLAlchemy has it
    return "", ""


def _load(connection: psycopg.Connection, place: str) -> None:
    """Have pgvector loaded: until it is, PostgreSQL takes any value for any of its settings."""
    sql = psycopg_library().sql
    schema = "SELECT nspname FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace WHERE extname = 'vector'"
    if not (found := connection.execute(schema).fetchone()):
        raise SpecError(f"{place}: pgvector is not installed in this database; name the one that has it: PGDATABASE")
    connection.execute(sql.SQL("SELECT '[1]'::{}").format(sql.Identifier(found[0], "vector")))


def refusal(error: Exception, place: str, parameter: str = "where") -> RagdiagError:
    """What psycopg raised, `parameter` being what may be wrong where PostgreSQL says that something given is."""
    state, diagnosis = getattr(error, "sqlstate", None) or "", getattr(error, "diag", None)
    words = " ".join(str(getattr(diagnosis, "message_primary", None) or "the connection broke").split())
    if isinstance(error, UnicodeError):
        return RagdiagError(f"{place}: a text is not UTF-8; mend it in the table")
    if state == "42501":
        return RagdiagError(f"{place}: {words}; grant the user SELECT")
    if state[:2] in ("22", "42") or state == "25006":
        return SpecError(f"{place}: {words}; correct {parameter}=...")
    return RagdiagError(f"{place}: {words}; check that the server runs and admits you")
