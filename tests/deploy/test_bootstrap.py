"""Set-up does each step once, and again where it was cut short."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "deploy"))

import bootstrap


def is_due(stamp: Path, made_from: str) -> bool:
    with bootstrap.step(stamp, made_from) as due:
        return due


def test_step_is_due_once_for_the_same_sources(tmp_path: Path) -> None:
    stamp = tmp_path / "folder" / "done.stamp"
    assert is_due(stamp, "one")
    assert not is_due(stamp, "one")
    assert is_due(stamp, "two")
    assert not is_due(stamp, "two")


def test_step_cut_short_is_due_again(tmp_path: Path) -> None:
    stamp = tmp_path / "done.stamp"
    assert is_due(stamp, "one")
    with pytest.raises(KeyboardInterrupt), bootstrap.step(stamp, "two"):
        raise KeyboardInterrupt
    assert not stamp.exists()
    assert is_due(stamp, "one")


def test_digest_sees_names_and_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    folder = tmp_path / "assets"
    folder.mkdir()
    seen = [bootstrap.digest(folder)]
    (folder / "a.scss").write_text("a")
    seen.append(bootstrap.digest(folder))
    (folder / "a.scss").write_text("b")
    seen.append(bootstrap.digest(folder))
    (folder / "a.scss").rename(folder / "b.scss")
    seen.append(bootstrap.digest(folder))
    assert len(set(seen)) == 4
    assert bootstrap.digest(folder) == seen[-1]


def test_call_that_fails_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(bootstrap.SetupError) as raised:
        bootstrap.call(["false"])
    assert str(raised.value) == "'false …' ended with status 1. Its own words are above."
