"""A cluster that the user names, as the place where joblib's work is done: one of Dask, or one of Ray.

Both take pickled functions: whoever answers at the address can run code here, as this process can there.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ragdiag.core.errors import UsageError
from ragdiag.core.registry import require

if TYPE_CHECKING:
    from ragdiag.core.tasks import DaskClient, Tasks

__all__ = ["cluster"]

CONNECT_S = 5.0
"""How long a cluster may take to answer."""

NO_SCHEDULER = ": no scheduler of Dask, or none of Ray"
"""What that tells."""

WORKERS_S = 10
"""How long is waited for a first worker."""

RAY_HERE = ("local", "auto")
"""After ``ray:``, a cluster that is started on this machine for the time being, and the one that this machine is part of."""

KNOWN = "tcp://HOST:PORT or tls://HOST:PORT (Dask), ray://HOST:PORT, ray:auto or ray:local"


@contextlib.contextmanager
def cluster(address: str | None) -> Iterator[None]:
    """Within it, work is done by the workers of the cluster at `address`; without one, where it is done anyway.

    Raises `UsageError` for an address that is none, or where nothing answers, and `MissingExtra`. What is printed while Ray works
    goes to standard error.
    """
    if not address:
        yield
        return
    engine, _, rest = address.partition(":")
    if rest.startswith("//"):
        _host_and_port(address)  # before an engine is missed that an address alone may ask for by mistake
    if engine in ("tcp", "tls") and rest.startswith("//"):
        opened = _dask(address)
    elif engine == "ray" and (rest.startswith("//") or rest in RAY_HERE):
        opened = _ray(address if rest.startswith("//") else rest)
    else:
        raise _no_address(address)
    with opened:
        yield


def _no_address(address: str) -> UsageError:
    return UsageError(f"{address!r} is no address of a cluster: {KNOWN}")


def _host_and_port(address: str) -> tuple[str, int]:
    """Raises `UsageError` where an address names not both."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or not port:
        raise _no_address(address)
    return host, port


def _check_answers(address: str) -> None:
    """Raise `UsageError` where nothing listens at an address: engines would try for minutes."""
    try:
        with socket.create_connection(_host_and_port(address), timeout=CONNECT_S) as connection:
            # Dask's client would wait without end for whoever accepts and says nothing. A scheduler speaks first.
            spoke = address.partition(":")[0] != "tcp" or connection.recv(1)
    except OSError as e:
        raise _unanswered(address, f"{e.strerror or e or type(e).__name__}{NO_SCHEDULER}") from e
    if not spoke:
        raise _unanswered(address, f"hung up{NO_SCHEDULER}")


def _unanswered(address: str, why: str) -> UsageError:
    return UsageError(f"no cluster answers at {address} ({why}): check the address, and that its scheduler runs")


@contextlib.contextmanager
def _dask(address: str) -> Iterator[None]:
    """A Dask cluster, by its scheduler's address; certificates for ``tls://`` are those of Dask's own configuration."""
    distributed, dask = require("distributed", "dask"), require("dask", "dask")
    from ragdiag.core.tasks import DaskTasks

    _check_answers(address)
    # What matters is raised; that texts are large is known.
    with _silent("distributed"), dask.config.set({"distributed.admin.large-graph-warning-threshold": "1000 TB"}):
        try:
            client = distributed.Client(address, timeout=CONNECT_S, set_as_default=False)
        except (OSError, TimeoutError, ValueError, RuntimeError, TypeError) as e:
            raise _unanswered(address, f"{type(e).__name__}: no scheduler of Dask, or one of another version") from e
        try:
            _wait_for_workers(client, address)
            with _done_by(DaskTasks(client)):
                yield
        finally:
            with contextlib.suppress(OSError, TimeoutError):
                client.close(timeout=CONNECT_S)


def _wait_for_workers(client: DaskClient, address: str) -> None:
    try:
        client.wait_for_workers(1, timeout=WORKERS_S)
    except TimeoutError as e:
        raise UsageError(f"the cluster at {address} has no worker after {WORKERS_S} s: start one") from e


@contextlib.contextmanager
def _ray(address: str) -> Iterator[None]:
    """A Ray cluster: ``ray://host:port`` through its client server, "auto", or "local"."""
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # before it is imported; else it warns
    os.environ.setdefault("RAY_CLIENT_MAX_CONNECTION_TIMEOUT_S", f"{CONNECT_S:.0f}")  # of each of three tries
    ray = require("ray", "ray")
    from ragdiag.core.tasks import RayTasks

    if address not in RAY_HERE:
        _check_answers(address)
    options: dict[str, object] = {"include_dashboard": False, "_node_ip_address": "127.0.0.1"} if address == "local" else {}
    # It tells on standard output of workers that died, in the midst of a report.
    with contextlib.redirect_stdout(sys.stderr), _silent("ray"):
        try:
            ray.init(address=address, logging_level=logging.CRITICAL, log_to_driver=False, **options)
        except (OSError, RuntimeError, ValueError) as e:
            why = f"{type(e).__name__}: no cluster of Ray, one of another version, or one whose RAY_AUTH_TOKEN is not given"
            raise _unanswered(address, why) from e
        try:
            with _done_by(RayTasks()):
                yield
        finally:
            ray.shutdown()


@contextlib.contextmanager
def _done_by(tasks: Tasks) -> Iterator[None]:
    """Joblib's work is done by an engine. Tasks are not put together: each is long enough, and is kept when it is done."""
    import joblib

    with joblib.parallel_config(backend=tasks, n_jobs=-1):
        yield


@contextlib.contextmanager
def _silent(library: str) -> Iterator[None]:
    """Without what a library logs."""
    names = [library, *(name for name in logging.root.manager.loggerDict if name.startswith(f"{library}."))]
    loggers = [logging.getLogger(name) for name in names]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
