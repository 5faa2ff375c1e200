"""PDF from HTML and CSS: tagged for screen readers (PDF/UA-1), with our own fonts embedded.

The only importer of WeasyPrint, and only once something is rendered: it costs 0.6 seconds and
30 MB, which a web worker should not pay at its start. One font configuration and one parsed style
sheet serve a whole process: fresh ones would leak 0.25 MB at every rendering and take twice the
time.
"""

import atexit
import re
from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.html import format_html

if TYPE_CHECKING:
    from django.utils.safestring import SafeString
    from pydyf import PDF
    from weasyprint import CSS, Document
    from weasyprint.text.fonts import FontConfiguration
    from weasyprint.urls import URLFetcher, URLFetcherResponse

_FONT_FILE = re.compile(r"([A-Za-z]+)_(\d{3})[A-Za-z]+\.ttf")
_FONT_SCHEME = "font:"
_FIRST_FAMILY = "NotoSans"
# A placeholder's height on the page: nothing else is drawn there.
_NOWHERE = -100_000

# Pango's font map belongs to one thread at a time.
_one_at_a_time = Lock()


class FontsMissing(Exception):
    """The fonts that PDFs embed are not there; `npm run build` puts them in place."""


class _Font(NamedTuple):
    """One file in settings.FONTS, such as NotoSans_700Bold.ttf."""

    family: str
    weight: str
    file: str


def placeholder(index: int) -> "SafeString":
    """Return what stands in an <svg> for the drawing that `render` gets as drawings[index]."""
    return format_html('<rect x="{}" y="{}" width="1" height="1"/>', index, _NOWHERE)


def render(
    body: "SafeString",
    *,
    stylesheet: str,
    title: str,
    language: str,
    author: str,
    drawings: Sequence[str] = (),
) -> bytes:
    """Return `body`, an HTML fragment, as a PDF/UA-1 document.

    `stylesheet` names a template with the CSS, which stays in memory for the life of the process.
    `title`, `author` and `language` (such as 'en-gb') go into the document's properties. The
    fonts are those in settings.FONTS: Noto Sans first, the others for the letters that it lacks.
    Nothing in the body can load anything, neither from the network nor from a file: pictures
    must be drawn in it. Raises FontsMissing before the front end was built.

    Each of `drawings` is a path in PDF's own operators ('x y width height re …'), filled in the
    place and the units of the <svg> around its `placeholder`. WeasyPrint would take 13 ms to read
    a QR code's path from SVG.
    """
    from weasyprint import HTML

    page = format_html(
        '<!doctype html><html lang="{}"><head><meta charset="utf-8"><title>{}</title>'
        '<meta name="author" content="{}"></head><body>{}</body></html>',
        _language_tag(language),
        title,
        author,
        body,
    )
    with _one_at_a_time:
        configuration, faces = _fonts()
        pdf: bytes = HTML(string=page, url_fetcher=_nothing()).write_pdf(
            stylesheets=[faces, _parsed(stylesheet)],
            font_config=configuration,
            pdf_variant="pdf/ua-1",
            finisher=partial(_draw, drawings),
        )
    return pdf


def _draw(drawings: Sequence[str], document: "Document", pdf: "PDF") -> None:
    """Put the drawings in the place of their placeholders, on whatever page these are."""
    mark = f" {_NOWHERE} 1 1 re".encode()
    for part in pdf.objects:
        for position, operator in enumerate(getattr(part, "stream", ())):
            if isinstance(operator, bytes) and operator.endswith(mark):
                part.stream[position] = drawings[int(operator.removesuffix(mark))].encode()


def warm_up() -> None:
    """Load WeasyPrint and the fonts now, so that the first rendering need not."""
    with _one_at_a_time:
        _fonts()


def _language_tag(language: str) -> str:
    """Return Django's 'en-gb' as the tag 'en-GB'."""
    first, _, region = language.partition("-")
    return f"{first}-{region.upper()}" if region else first


@cache
def _fonts() -> "tuple[FontConfiguration, CSS]":
    """Return the process's fonts, and the style sheet that declares them and their order."""
    from weasyprint import CSS
    from weasyprint.text.fonts import FontConfiguration

    fonts = _installed_fonts()
    rules = [
        f"@font-face {{ font-family: {font.family}; font-weight: {font.weight};"
        f" src: url({_FONT_SCHEME}{font.file}) }}"
        for font in fonts
    ]
    families = ", ".join(dict.fromkeys(font.family for font in fonts))
    rules.append(f"html {{ font-family: {families} }}")
    configuration = FontConfiguration()
    # It keeps copies of the fonts in a temporary folder, which goes when the process ends.
    atexit.register(configuration.__del__)
    css = CSS(
        string="\n".join(rules), font_config=configuration, url_fetcher=_fetcher(_font_content)
    )
    return configuration, css


def _installed_fonts() -> list[_Font]:
    """Return what settings.FONTS holds, Noto Sans first; FontsMissing without it."""
    names = sorted(path.name for path in Path(settings.FONTS).glob("*.ttf"))
    fonts = [_Font(*match.groups(), name) for name in names if (match := _FONT_FILE.match(name))]
    if _FIRST_FAMILY not in {font.family for font in fonts}:
        raise FontsMissing("No fonts for PDFs. Put them in place with: npm run build")
    return sorted(fonts, key=lambda font: font.family != _FIRST_FAMILY)


@cache
def _parsed(stylesheet: str) -> "CSS":
    from weasyprint import CSS

    return CSS(string=render_to_string(stylesheet), url_fetcher=_nothing())


def _font_content(url: str) -> bytes:
    name = url.removeprefix(_FONT_SCHEME)
    if not _FONT_FILE.fullmatch(name):
        return _refuse(url)
    return (Path(settings.FONTS) / name).read_bytes()


def _refuse(url: str) -> bytes:
    raise PermissionError(f"A PDF may not load {url[:100]}")


@cache
def _nothing() -> "URLFetcher":
    """Return the loader that refuses everything."""
    return _fetcher(_refuse)


def _fetcher(content: Callable[[str], bytes]) -> "URLFetcher":
    """Return WeasyPrint's kind of loader around `content`, which maps an address to bytes."""
    from weasyprint.urls import URLFetcher, URLFetcherResponse

    class Fetcher(URLFetcher):
        def fetch(self, url: str, headers: dict[str, str] | None = None) -> "URLFetcherResponse":
            return URLFetcherResponse(url, content(url))

    return Fetcher()
