"""A small part of the campaign (``python tests/faults/run.py``), in which nothing is drawn."""

import os
import random
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from checks import Ground, Trial
from damage import damaged
from faulted import COMMANDS
from full import filled, may_mount
from kills import stopped
from streams import redirected

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="processes are looked for in /proc"),
]


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    return Ground(tmp_path_factory.mktemp("faults"))


def survived(trial: Trial) -> None:
    assert not trial.wrong, (trial, *trial.wrong)


@pytest.mark.parametrize(("command", "name"), [("label", "kill -9"), ("litmus --live", "SIGTERM")])
def test_stopped_three_times_it_goes_on(ground: Ground, command: str, name: str) -> None:
    seconds = ground.truth(COMMANDS[command]).seconds
    survived(stopped(ground, COMMANDS[command], name, 0.9 * seconds, fresh=True))


def test_links_in_place_of_all_entries_of_a_cache(ground: Ground) -> None:
    command = COMMANDS["audit"]
    survived(damaged(ground, command, ground.place(command, warm=True), "a link", random.Random(0)))


def test_a_disk_with_room_for_half_of_the_outputs(ground: Ground) -> None:
    if not may_mount():
        pytest.skip("this user may mount no file system")
    trial = filled(ground, COMMANDS["audit"], "out", 0.5)
    survived(trial)
    assert trial.hits == 1


def test_a_reader_that_has_seen_enough(ground: Ground) -> None:
    survived(redirected(ground, COMMANDS["check"], "| head -1"))
