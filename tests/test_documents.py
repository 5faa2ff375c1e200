"""What the documents say of the code is so."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SECURITY = (ROOT / "docs" / "security.md").read_text()
WRITTEN = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("deploy/**/*.md")])


def named_tests(text: str) -> list[tuple[str, str]]:
    """The tests that a text names, by file and function."""
    return re.findall(r"`(tests/[\w/.]+\.py)::(test_\w+)`", text)


def is_there(file: str, name: str) -> bool:
    path = ROOT / file
    return path.is_file() and f"\ndef {name}(" in path.read_text()


def test_every_test_that_is_named_exists() -> None:
    named = named_tests(SECURITY)
    assert len(named) > 50
    assert [one for one in named if not is_there(*one)] == []
    # And nothing looks like one without being read as one.
    assert SECURITY.count("::test_") == len(named)


def test_security_speaks_of_every_chapter() -> None:
    assert re.findall(r"^## V(\d+) ", SECURITY, re.MULTILINE) == [str(n) for n in range(1, 18)]


def test_every_promise_is_held_by_something() -> None:
    rows = re.findall(r"^\| ([\d., to]+) \| .+ \| (.+) \|$", SECURITY, re.MULTILINE)
    assert len(rows) > 50
    held = ("by review", "does not apply", "not yet", "an aim of ours")
    assert [
        (section, by) for section, by in rows if not named_tests(by) and not by.startswith(held)
    ] == []


@pytest.mark.parametrize("file", [str(path.relative_to(ROOT)) for path in WRITTEN])
def test_links_to_files_lead_somewhere(file: str) -> None:
    path = ROOT / file
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", path.read_text())
    ours = [link for link in links if "://" not in link and not link.startswith("mailto:")]
    assert [link for link in ours if not (path.parent / link).exists()] == []
