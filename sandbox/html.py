"""The frame of every page, and templates whose values are escaped unless they are Safe."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import escape

_FRAME = """<!doctype html>
<html lang="en-GB">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{title} · Local Stripe</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/style.css">
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header class="banner"><p><strong>Local Stripe</strong>: no real money</p></header>
{nav}
<main id="main">
{body}
</main>
</body>
</html>
"""
_NAV = """<nav aria-label="Local Stripe"><ul>
<li><a href="/"{home}>What happened</a></li>
<li><a href="/control/"{control}>Control</a></li>
</ul></nav>"""

# No script runs, and nothing is loaded but the style sheet.
POLICY = "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'"


class Safe(str):
    """Text that is HTML already."""


@dataclass
class Page:
    """An answer to a browser."""

    status: int
    body: str
    content_type: str = "text/html; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)


def fill(template: str, **values: object) -> Safe:
    """The template with its values escaped, unless they are Safe."""
    shown = {
        name: value if isinstance(value, Safe) else escape(str(value))
        for name, value in values.items()
    }
    return Safe(template.format(**shown))


def joined(parts: list[Safe]) -> Safe:
    return Safe("\n".join(parts))


def page(title: str, body: Safe, *, status: int = 200, here: str | None = None) -> Page:
    """A whole page. `here` marks the entry of the menu ('home' or 'control'); None: no menu."""
    nav = Safe("")
    if here is not None:
        mark = Safe(' aria-current="page"')
        nav = fill(
            _NAV,
            home=mark if here == "home" else Safe(""),
            control=mark if here == "control" else Safe(""),
        )
    return Page(
        status,
        fill(_FRAME, title=title, nav=nav, body=body),
        headers={"Content-Security-Policy": POLICY, "Cache-Control": "no-store"},
    )


def redirect(target: str) -> Page:
    """See other: the browser goes there with a GET."""
    return Page(303, "", headers={"Location": target, "Cache-Control": "no-store"})


def moment(second: int) -> str:
    """`22 November 2026, 10:44:05 UTC`."""
    return f"{datetime.fromtimestamp(second, UTC):%-d %B %Y, %H:%M:%S} UTC"
