"""Where the site's own keys come from."""

import base64
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from conference.keys import secret_key, signing_keys

ROOT = Path(__file__).parents[2]
SEED = bytes(range(32))
TEXT = base64.b64encode(SEED).decode()


def test_trial_makes_its_keys_once_and_for_itself_alone(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    first = (secret_key(folder, may_create=True), signing_keys("", folder, may_create=True))
    again = (secret_key(folder, may_create=True), signing_keys("", folder, may_create=False))
    assert first == again
    assert (len(first[0]) >= 50, list(first[1])) == (True, [1])
    assert {oct(path.stat().st_mode & 0o777) for path in folder.iterdir()} == {"0o600"}
    assert sorted(path.name for path in folder.iterdir()) == ["secret_key", "ticket_signing_keys"]


def test_processes_that_start_together_have_the_same_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as together:
        starts = [together.submit(_key_of_a_process, tmp_path) for _ in range(4)]
    assert len({start.result() for start in starts}) == 1


def _key_of_a_process(folder: Path) -> str:
    code = (
        "import sys, pathlib; from conference.keys import secret_key; "
        "print(secret_key(pathlib.Path(sys.argv[1]), may_create=True))"
    )
    command = [sys.executable, "-c", code, str(folder)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_real_site_makes_none_for_itself(tmp_path: Path) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"Set SECRET_KEY\."):
        secret_key(tmp_path, may_create=False)
    with pytest.raises(ImproperlyConfigured, match=r"Set TICKET_SIGNING_KEYS\."):
        signing_keys("", tmp_path, may_create=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("value", "keys"),
    [
        (f"1:{TEXT}", {1: SEED}),
        (f"1:{TEXT},2:{TEXT}", {1: SEED, 2: SEED}),
        (f" 255 : {TEXT} , ", {255: SEED}),
    ],
)
def test_signing_keys_are_read(tmp_path: Path, value: str, keys: dict[int, bytes]) -> None:
    assert signing_keys(value, tmp_path, may_create=False) == keys


@pytest.mark.parametrize(
    "value",
    ["x", TEXT, "1:", "1:x", f"0:{TEXT}", f"256:{TEXT}", f"-1:{TEXT}", "1:YWJj", f"a:{TEXT}", ","],
)
def test_signing_keys_that_are_none_are_refused(tmp_path: Path, value: str) -> None:
    with pytest.raises(ImproperlyConfigured):
        signing_keys(value, tmp_path, may_create=False)


def test_fresh_keys_can_be_asked_for(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "conference.keys"]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    names = dict(line.split("=", 1) for line in printed.splitlines())
    assert list(names) == ["SECRET_KEY", "TICKET_SIGNING_KEYS"]
    assert list(signing_keys(names["TICKET_SIGNING_KEYS"], tmp_path, may_create=False)) == [1]
