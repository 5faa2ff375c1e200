"""What organisers write is shown, and can harm nobody."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conference.markdown import to_html


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("", ""),
        ("We *listen*.", "<p>We <em>listen</em>.</p>\n"),
        ("# Top", "<h2>Top</h2>\n"),
        ("## Next", "<h2>Next</h2>\n"),
        ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n"),
        (
            "[here](https://example.org)",
            '<p><a href="https://example.org" rel="noopener noreferrer">here</a></p>\n',
        ),
        ("a & b < c", "<p>a &amp; b &lt; c</p>\n"),
        ("Łucja 山田", "<p>Łucja 山田</p>\n"),
    ],
)
def test_text_becomes_a_page(text: str, html: str) -> None:
    assert to_html(text) == html


def test_table_becomes_a_table() -> None:
    html = to_html("| When | What |\n|---|---|\n| 10:00 | Welcome |")
    assert re.sub(r"\s", "", html) == (
        "<table><thead><tr><th>When</th><th>What</th></tr></thead>"
        "<tbody><tr><td>10:00</td><td>Welcome</td></tr></tbody></table>"
    )


ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<a href='javascript:alert(1)'>x</a>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:x)",
    "[x](\x01javascript:alert(1))",
    "![x](https://example.org/track.gif)",
    '[x](https://example.org "onmouseover=alert(1)")',
    "<iframe src=//evil.test></iframe>",
    "<style>body{display:none}</style>",
    "<form action=//evil.test><input name=a></form>",
    "`<script>alert(1)</script>`",
    "    <script>alert(1)</script>",
    '<p style="position:fixed">x</p>',
    "<base href=//evil.test>",
    "<math><mtext><script>alert(1)</script></mtext></math>",
]
# A tag that is none of those that are allowed, or an attribute that is none of them.
_HARM = re.compile(
    r"<(?!/?(?:a|blockquote|br|code|em|h[234]|hr|li|ol|p|pre|strong|table|tbody|td|th|thead|tr|ul)"
    r"\b)|<[a-z0-9]+ (?!href|title|rel|start|align)|href=\"(?!https?:|mailto:|tel:|[^\":]*\")",
    re.IGNORECASE,
)


@pytest.mark.parametrize("text", ATTACKS)
def test_nothing_harmful_is_let_through(text: str) -> None:
    assert _HARM.findall(to_html(text)) == []


@given(st.lists(st.sampled_from([*ATTACKS, "*", "`", "[", "](", ")", "<", ">", '"', "\n", "|"])))
def test_nothing_harmful_comes_of_any_mixture(pieces: list[str]) -> None:
    assert _HARM.findall(to_html("".join(pieces))) == []
