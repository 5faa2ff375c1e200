"""Set-up does each step once, again where it was cut short, and never twice at once."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

DEPLOY = Path(__file__).parents[2] / "deploy"
# `run` makes .venv/bin/python, unless it is there; then it says so and may wait to be killed.
SMALL_SETUP = """
run: .venv/bin/python
	@echo started
	@sleep $${SECONDS_OF_WORK:-0}
	@test -z "$$FAIL"
.venv/bin/python:
	@echo made
	@mkdir -p .venv/bin
	@touch $@
"""
SOURCES = (
    "requirements.lock", "requirements-dev.lock", "package-lock.json", "deploy/assets.mjs",
    "conference/settings.py", "conference/static_storage.py", "conference/assets/a.scss",
    "tickets/static/a.js",
)  # fmt: skip
MADE = (
    ".venv/bin/python", ".venv/requirements.stamp", ".venv/requirements-dev.stamp",
    "node_modules/.package-lock.json", "build/assets.stamp", "build/static.stamp",
)  # fmt: skip


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A checkout with the real bootstrap.py and rules of the test's own."""
    (tmp_path / "deploy").mkdir()
    shutil.copy(DEPLOY / "bootstrap.py", tmp_path / "deploy")
    (tmp_path / "deploy" / "setup.mk").write_text(SMALL_SETUP)
    return tmp_path


def start(checkout: Path, **variables: str) -> subprocess.Popen[str]:
    """A set-up in this checkout, running."""
    return subprocess.Popen(
        [sys.executable, "deploy/bootstrap.py", "run"],
        cwd=checkout,
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for_its_work(process: subprocess.Popen[str]) -> None:
    """Return when make is in the middle of its work."""
    assert process.stdout is not None
    while process.stdout.readline() != "started\n":
        assert process.poll() is None


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """A set-up's exit status, output and error output, once it has ended."""
    out, errors = process.communicate(timeout=20)
    return process.returncode, out, errors


@pytest.fixture
def complete(tmp_path: Path) -> Path:
    """A checkout with the real rules in which everything has been made."""
    for number, name in enumerate((*SOURCES, *MADE)):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
        os.utime(file, (number, number))
    for folder in ("conference/assets", "tickets/static"):
        os.utime(tmp_path / folder, (0, 0))
    shutil.copy(DEPLOY / "setup.mk", tmp_path / "deploy")
    return tmp_path


def is_due(checkout: Path, goal: str) -> bool:
    asked = ["make", "-f", "deploy/setup.mk", "--question", goal]
    return subprocess.run(asked, cwd=checkout, capture_output=True).returncode == 1


@pytest.mark.parametrize("goal", ["run", "lint", "test", "bench"])
def test_set_up_has_nothing_to_do_the_second_time(complete: Path, goal: str) -> None:
    assert not is_due(complete, goal)


@pytest.mark.parametrize("changed", [name for name in SOURCES if "dev" not in name])
def test_set_up_is_due_again_when_a_source_has_changed(complete: Path, changed: str) -> None:
    os.utime(complete / changed)
    assert is_due(complete, "run")


@pytest.mark.parametrize("added", ["conference/assets/b.scss", "tickets/static/b.js"])
def test_set_up_is_due_again_when_a_source_is_added_or_removed(complete: Path, added: str) -> None:
    (complete / added).touch()
    (complete / added).unlink()
    assert is_due(complete, "run")


def test_set_up_that_was_killed_begins_anew(small: Path) -> None:
    killed = start(small, SECONDS_OF_WORK="1")
    wait_for_its_work(killed)
    killed.kill()
    killed.wait()
    status, out, _ = finish(start(small))
    killed.communicate()
    # What the killed one had started is waited for.
    waiting, anew, *rest = out.splitlines()
    assert waiting == "set-up | waiting for another set-up in this folder"
    assert anew == "set-up | the last set-up was cut short; .venv is made anew"
    assert (status, rest) == (0, ["made", "started"])
    assert finish(start(small)) == (0, "started\n", "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_set_up_asked_to_end_begins_anew(small: Path, number: signal.Signals) -> None:
    asked = start(small, SECONDS_OF_WORK="60")
    wait_for_its_work(asked)
    asked.send_signal(number)
    assert finish(asked)[0] == 128 + number
    status, out, _ = finish(start(small))
    assert status == 0
    assert out.splitlines()[-2:] == ["made", "started"]


def test_set_up_that_fails_says_so_and_leaves_the_packages(small: Path) -> None:
    status, _, errors = finish(start(small, FAIL="1"))
    assert status == 1
    assert errors.splitlines()[-1] == (
        "set-up | 'make --no-print-directory -f deploy/setup.mk …' ended with status 2. "
        "Its own words are above."
    )
    assert finish(start(small)) == (0, "started\n", "")


def test_two_set_ups_in_one_folder_wait_for_each_other(small: Path) -> None:
    first = start(small, SECONDS_OF_WORK="3")
    wait_for_its_work(first)
    second = start(small)
    assert finish(second) == (
        0,
        "set-up | waiting for another set-up in this folder\nstarted\n",
        "",
    )
    first.communicate(timeout=20)
    assert first.returncode == 0
