"""Put before a command, a clock that is wrong by ``FAULTS_CLOCK`` seconds, or jumps by as many after ``FAULTS_CLOCK_AFTER``."""

import os
import time

_now, _begun = time.time, time.monotonic()
_shift, _after_s = float(os.environ.get("FAULTS_CLOCK", "0")), float(os.environ.get("FAULTS_CLOCK_AFTER", "0"))


def _time() -> float:
    return _now() + (_shift if time.monotonic() - _begun >= _after_s else 0.0)


if _shift:
    time.time = _time
