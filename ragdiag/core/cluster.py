"""A cluster that the user names, as the place where joblib's work is done: one of Dask, or one of Ray.

Both take pickled functions: whoever answers at the address can run code here, as this process can there.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from ragdiag.core.engines import distant, workers
from ragdiag.core.errors import UsageError
from ragdiag.core.registry import require

__all__ = ["cluster"]

CONNECT_S = 5.0
"""How long a cluster may take to answer."""

WORKERS_S = 10
"""How long is waited for a first worker."""

RAY_HERE = ("local", "auto")
"""After ``ray:``, a cluster that is started on this machine for the time being, and the one that this machine is part of."""

KNOWN = "tcp://HOST:PORT or tls://HOST:PORT (Dask), ray://HOST:PORT, ray:auto or ray:local"


@contextlib.contextmanager
def cluster(address: str | None) -> Iterator[None]:
    """Within it, work is done by the workers of the cluster at `address`; without one, where it is done anyway.

    Raises `UsageError` for an address that is none, or where nothing answers, and `MissingExtra`.
    """
    if not address:
        yield
        return
    engine, _, rest = address.partition(":")
    if engine in ("tcp", "tls") and rest.startswith("//"):
        opened = _dask(address)
    elif engine == "ray" and (rest.startswith("//") or rest in RAY_HERE):
        opened = _ray(address if rest.startswith("//") else rest)
    else:
        raise UsageError(f"{address!r} is no address of a cluster: {KNOWN}")
    with opened:
        _check_workers(address)
        yield


def _check_workers(address: str) -> None:
    """Raise `UsageError` where nobody does the work."""
    try:
        assert distant()
        workers()
    except TimeoutError as e:
        raise UsageError(f"the cluster at {address} has no worker after {WORKERS_S} s: start one") from e


def _check_answers(address: str) -> None:
    """Raise `UsageError` where nothing listens at an address: engines would try for minutes."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or not port:
        raise UsageError(f"{address!r} is no address of a cluster: {KNOWN}")
    try:
        socket.create_connection((host, port), timeout=CONNECT_S).close()
    except OSError as e:
        raise _unanswered(address, e.strerror or str(e) or type(e).__name__) from e


def _unanswered(address: str, why: str) -> UsageError:
    return UsageError(f"no cluster answers at {address} ({why}): check the address, and that its scheduler runs")


@contextlib.contextmanager
def _dask(address: str) -> Iterator[None]:
    """A Dask cluster, by its scheduler's address; certificates for ``tls://`` are those of Dask's own configuration."""
    distributed = require("distributed", "dask")
    import joblib

    _check_answers(address)
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what matters of it comes as an error
    try:
        client = distributed.Client(address, timeout=CONNECT_S, set_as_default=False)
    except (OSError, TimeoutError, ValueError, RuntimeError, TypeError) as e:
        raise _unanswered(address, f"{type(e).__name__}, so it is no scheduler of Dask, or of another version") from e
    try:
        with joblib.parallel_config(backend="dask", client=client, wait_for_workers_timeout=WORKERS_S, n_jobs=-1):
            yield
    finally:
        with contextlib.suppress(OSError, TimeoutError):
            client.close(timeout=CONNECT_S)


@contextlib.contextmanager
def _ray(address: str) -> Iterator[None]:
    """A Ray cluster: ``ray://host:port`` through its client server, "auto", or "local"."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # before it is imported
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    ray = require("ray", "ray")
    import joblib

    from ragdiag.core.ray_tasks import RayTasks

    if address not in RAY_HERE:
        _check_answers(address)
    started: dict[str, Any] = {"include_dashboard": False, "_node_ip_address": "127.0.0.1"} if address == "local" else {}
    if not address.startswith("ray:"):
        started["log_to_driver"] = False
    try:
        ray.init(address=address, logging_level=logging.CRITICAL, **started)
    except (OSError, RuntimeError, ValueError) as e:
        raise _unanswered(address, f"{type(e).__name__}, so it is no cluster of Ray, or of another version") from e
    try:
        joblib.register_parallel_backend("ray_tasks", RayTasks)
        with joblib.parallel_config(backend="ray_tasks", n_jobs=-1):
            yield
    finally:
        ray.shutdown()
