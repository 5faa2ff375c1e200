"""The style sheet as it is built: small, and legible in both schemes."""

import gzip
import re
from pathlib import Path

import pytest
from django.conf import settings

SHEET = Path(settings.ROOT) / "build" / "assets" / "conference" / "theme.css"
SOURCES = Path(settings.ROOT) / "conference" / "assets"
LARGEST = 12_000  # bytes on the wire
GROUNDS = ("paper", "card")
TEXTS = [
    *((text, ground) for text in ("ink", "quiet", "lead", "danger") for ground in GROUNDS),
    *(("ink", ground) for ground in ("tint", "danger-tint", "caution-tint")),
    ("lead", "tint"),
    ("danger", "danger-tint"),
    ("on-lead", "lead"),
    ("on-lead", "lead-strong"),
    ("on-amber", "amber"),
    ("card", "danger"),
]
EDGES = [(edge, ground) for edge in ("quiet", "good", "danger", "lead") for ground in GROUNDS]


@pytest.fixture(scope="module")
def sheet() -> str:
    return SHEET.read_text()


def test_theme_is_small_on_the_wire(sheet: str) -> None:
    assert len(gzip.compress(sheet.encode())) <= LARGEST


def test_theme_fetches_nothing(sheet: str) -> None:
    assert re.findall(r"url\(|@import", sheet) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), TEXTS)
def test_text_stands_out_by_seven_to_one(sheet: str, scheme: str, text: str, ground: str) -> None:
    colours = _colours(sheet, scheme)
    assert _contrast(colours[text], colours[ground]) >= 7


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("edge", "ground"), EDGES)
def test_edge_of_a_control_stands_out_by_three_to_one(
    sheet: str, scheme: str, edge: str, ground: str
) -> None:
    colours = _colours(sheet, scheme)
    assert _contrast(colours[edge], colours[ground]) >= 3


def test_grid_columns_shrink_below_their_content() -> None:
    """Without `minmax(0, …)` a long word or a wide font makes the page scroll sideways."""
    stubborn = {}
    for path in sorted(SOURCES.glob("*.scss")):
        source = path.read_text()
        after_grid = re.findall(r"display: grid;\n +(.*)", source)
        found = [line for line in after_grid if not line.startswith("grid-template-columns:")]
        found += re.findall(r".*\dfr.*", re.sub(r"minmax\([^()]*\)", "", source))
        if found:
            stubborn[path.name] = found
    assert stubborn == {}


def _colours(sheet: str, scheme: str) -> dict[str, str]:
    """Our colour variables in a scheme; the dark one changes some of the light one's."""
    light, dark = re.findall(r":root\{(color-scheme:light dark;)?([^}]*--ink:[^}]*)\}", sheet)
    wanted = light[1] + ";" + (dark[1] if scheme == "dark" else "")
    return dict(re.findall(r"--([a-z-]+): ?(#[0-9a-f]{3,6})\b", wanted))


def _contrast(one: str, other: str) -> float:
    """The contrast of two colours as WCAG 2 defines it."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(c * 2 for c in colour[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
