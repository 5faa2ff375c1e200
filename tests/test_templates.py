"""Tests about templates: translated, nothing inline, on the base, links that lead somewhere."""

import re
from collections.abc import Callable, Iterable
from html.parser import HTMLParser
from pathlib import Path

from django.template.defaulttags import URLNode
from django.template.loader import get_template
from django.urls import URLPattern, URLResolver, get_resolver

ROOT = Path(__file__).resolve().parent.parent / "templates"
ALL = sorted(path for path in ROOT.rglob("*") if path.is_file() and path.suffix != ".css")
HTML = [path for path in ALL if path.suffix == ".html"]
MAILS = sorted({p.with_name(p.name.split(".")[0]) for p in ROOT.rglob("emails/*.subject.txt")})
# Attributes whose words people see or hear.
SPOKEN = {"alt", "title", "aria-label", "placeholder", "value", "content", "summary"}

# The same in every language: formats, codes, colours and units.
SAME_EVERYWHERE = re.compile(r"#[0-9a-f]{6}|noindex|light|dark|en-gb|CSV|ms")

COMMENT = re.compile(r"{% comment %}.*?{% endcomment %}|{#.*?#}", re.S)
TRANSLATED = re.compile(r"{% blocktranslate.*?{% endblocktranslate %}", re.S)
TAG = re.compile(r"{%.*?%}|{{.*?}}", re.S)


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def as_browsers_get_it(path: Path) -> str:
    """The template's own text: without comments, tags, variables and translated parts."""
    text = COMMENT.sub("", path.read_text())
    return TAG.sub("", TRANSLATED.sub("", text))


class Words(HTMLParser):
    """Collects what stands in an HTML text for people to read or hear."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in ("style", "script")
        is_spoken = not any(name == "name" and value == "viewport" for name, value in attrs)
        for name, value in attrs:
            if name in SPOKEN and is_spoken and value:
                self.take(value)

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in ("style", "script")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.take(data)

    def take(self, text: str) -> None:
        for word in text.split():
            if re.search(r"[^\W\d_]{2,}", word) and not SAME_EVERYWHERE.fullmatch(word):
                self.found.append(word)


def words_left(text: str) -> list[str]:
    parser = Words()
    parser.feed(text)
    return parser.found


def all_names(patterns: list[URLPattern | URLResolver], space: str = "") -> set[str]:
    names: set[str] = set()
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{pattern.namespace}:" if pattern.namespace else ""
            names |= all_names(pattern.url_patterns, space + inner)
        elif pattern.name:
            names.add(space + pattern.name)
    return names


NAMES = all_names(get_resolver().url_patterns)


def test_words_are_found_where_they_are_not_translated() -> None:
    text = '<p title="Hello">{{ name }} <b>World</b> x 12</p><style>p {color: red}</style>'
    assert words_left(TAG.sub("", text)) == ["Hello", "World"]


def offenders(paths: Iterable[Path], find: Callable[[Path], object]) -> dict[str, object]:
    """What `find` finds in each template that is not as it should be."""
    return {named(path): found for path in paths if (found := find(path))}


def test_every_word_on_a_page_is_marked_for_translation() -> None:
    assert offenders(HTML, lambda path: words_left(as_browsers_get_it(path))) == {}


def test_every_word_in_a_mail_is_marked_for_translation() -> None:
    texts = [path for path in ALL if path.suffix == ".txt"]
    assert offenders(texts, lambda p: re.findall(r"[^\W\d_]{2,}", as_browsers_get_it(p))) == {}


def inline_parts(path: Path) -> list[str]:
    text = COMMENT.sub("", path.read_text())
    if "emails" in path.parts or "pdf" in path.parts:
        # Mail programs and PDFs keep no style sheet beside them.
        text = re.sub(r'\sstyle="[^"]*"|<style>.*?</style>', "", text, flags=re.S)
    scripts = [code for code in re.findall(r"<script[^>]*>(.*?)</script>", text, re.S) if code]
    return scripts + re.findall(r"<style|\sstyle\s*=|\son[a-z]+\s*=|javascript:", text)


def test_nothing_is_inline() -> None:
    assert offenders(HTML, inline_parts) == {}


def loaded_from_elsewhere(path: Path) -> list[str]:
    text = COMMENT.sub("", path.read_text())
    loaded = re.findall(r"<(?:script|img|link|iframe|source|video|audio)\b[^>]*>", text)
    return [tag for tag in loaded if re.search(r"=\"?(?:https?:)?//", tag)]


def test_nothing_is_loaded_from_elsewhere() -> None:
    assert offenders(HTML, loaded_from_elsewhere) == {}


def test_nothing_reloads_by_itself() -> None:
    assert offenders(HTML, lambda path: 'http-equiv="refresh"' in path.read_text()) == {}


# -- how pages hang together ----------------------------------------------------------------------


def is_whole(path: Path) -> bool:
    return "<!doctype html>" in path.read_text().lower()


def test_page_stands_on_the_base_or_says_why_not() -> None:
    whole = [path for path in HTML if is_whole(path)]
    alone = [path for path in whole if "Stands by itself:" not in path.read_text()]
    assert {named(path) for path in alone} == {"base.html", "conference/emails/base.html"}
    assert offenders(HTML, lambda path: "<html" in path.read_text() and path not in whole) == {}


def lacks_title(path: Path) -> bool:
    text = path.read_text()
    if is_whole(path):
        return not (re.search(r"<html[^>]* lang=", text) and "<title>" in text)
    is_page = "{% extends" in text and path.name != "base.html"
    return is_page and "{% block title %}" not in text


def test_every_page_has_a_title_and_a_language() -> None:
    assert offenders(HTML, lacks_title) == {}


def unknown_addresses(path: Path) -> list[str]:
    template = get_template(named(path)).template  # type: ignore[attr-defined]
    links = template.nodelist.get_nodes_by_type(URLNode)
    return [name for node in links if (name := node.view_name.resolve({})) not in NAMES]


def test_every_link_leads_to_an_address_of_ours() -> None:
    assert offenders(ALL, unknown_addresses) == {}


# -- mails ----------------------------------------------------------------------------------------


def what_a_mail_lacks(mail: Path) -> list[str]:
    parts = [mail.with_name(mail.name + end) for end in (".subject.txt", ".txt", ".html")]
    lacking = [path.name for path in parts if not path.exists()]
    if lacking:
        return lacking
    subject, text, html = (path.read_text() for path in parts)
    lacking += [f"{{% block {b} %}}" for b in ("title", "preview", "content", "reason")]
    lacking = [block for block in lacking if block not in html]
    if '{% extends "conference/emails/base.html" %}' not in html:
        lacking.append("the base")
    # A name such as O'Neill is no HTML in plain text.
    if any("{{" in plain and "{% autoescape off %}" not in plain for plain in (subject, text)):
        lacking.append("autoescape off")
    return lacking


def test_every_mail_has_subject_text_and_page() -> None:
    assert offenders(MAILS, what_a_mail_lacks) == {}


def test_parts_of_mails_have_no_orphan() -> None:
    whole = {f"{mail.name}{end}" for mail in MAILS for end in (".subject.txt", ".txt", ".html")}
    shared = {"base.html", "button.html", "when.txt"}
    assert {path.name for path in ROOT.rglob("emails/*")} == whole | shared
