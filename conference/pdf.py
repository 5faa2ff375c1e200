"""PDF from HTML and CSS: tagged for screen readers (PDF/UA-1), with our own fonts embedded.

The only importer of WeasyPrint, and only once something is rendered: it costs 0.6 seconds and
30 MB, which a web worker should not pay at its start.

What keeps a page cheap: one font configuration and one parsed style sheet for a whole process
(fresh ones would leak 0.25 MB at every rendering and take twice the time), and frames. A frame is
what many pages share. It is laid out and drawn once in a process.
"""

import atexit
import gc
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, lru_cache, partial
from itertools import groupby
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString

if TYPE_CHECKING:
    from pydyf import PDF  # type: ignore[import-untyped]
    from weasyprint import CSS, Document, Page
    from weasyprint.formatting_structure.boxes import Box
    from weasyprint.pdf.fonts import Font
    from weasyprint.pdf.stream import Stream
    from weasyprint.text.fonts import FontConfiguration
    from weasyprint.urls import URLFetcher, URLFetcherResponse

_FONT_FILE = re.compile(r"([A-Za-z]+)_(\d{3})[A-Za-z]+\.ttf")
_FONT_SCHEME = "font:"
_FIRST_FAMILY = "NotoSans"
# Noto Sans composes ẹ, ị and ọ of two shapes. WeasyPrint then writes down the wrong letter for
# each plain e, i and o of the document: it looks right, but a screen reader says nonsense.
_FEATURES = {"NotoSans": 'font-feature-settings: "ccmp" 0'}
# Where placeholders stand in their <svg>: nothing else is drawn there.
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


class _Drawing(NamedTuple):
    """How a frame was drawn, apart from any document."""

    operators: list[Any]  # bytes, and between them the numbers of the pieces of text
    tags: list[tuple["Box", dict[str, Any]]]  # of each piece of text
    fonts: dict[int, "Font"]  # with the letters that the frame has of them
    states: dict[str, Any]  # of the graphics, by the names that the operators use


class _Frame:
    """What many pages share: laid out once in a process, and drawn once."""

    def __init__(self, page: "Page") -> None:
        self.page = page
        self._drawing: _Drawing | None = None

    def drawing(self, stream: "Stream", scale: float) -> _Drawing:
        """Return how it is drawn in a stream like this one, which stays as it is."""
        if self._drawing is None:
            fonts: dict[int, Font] = {}
            tags: dict[Box, dict[str, Any]] = {}
            states: dict[str, Any] = {}
            apart = stream.clone(
                fonts=fonts, tags=tags, resources={**stream._resources, "ExtGState": states}
            )
            self.page.paint(apart, scale)
            for font in fonts.values():
                font.file_content = b""  # half a megabyte each
            operators = list(_joined(apart.stream))
            self._drawing = _Drawing(operators, list(tags.items()), fonts, states)
        return self._drawing


def placeholder(index: int) -> SafeString:
    """Return what stands in an <svg> for the drawing that `render` gets as drawings[index]."""
    return format_html('<rect x="{}" y="{}" width="1" height="1"/>', index, _NOWHERE)


def render(
    pages: Sequence[SafeString],
    *,
    frames: Sequence[SafeString],
    drawings: Sequence[str] = (),
    stylesheet: str,
    title: str,
    language: str,
    author: str,
) -> bytes:
    """Return a PDF/UA-1 document of `pages`, each an <article> that fills one page.

    `frames` says for each page what it shares with others: an <article> too, whose first element
    comes before what the page has of its own, the others after it. As frame and page are laid out
    apart, neither may move the other. A frame holds no links.

    `drawings` are paths in PDF's own operators ('x y width height re …'), filled in the place and
    the units of the <svg> around their `placeholder`: WeasyPrint would take 13 ms to read a QR
    code from SVG.

    `stylesheet` names a template with the CSS, which stays in memory for the life of the process.
    `title`, `author` and `language` (such as 'en-gb') go into the document's properties. The
    fonts are those in settings.FONTS: Noto Sans first, the others for the letters that it lacks.
    Nothing in the markup can load anything, neither from the network nor from a file. Raises
    FontsMissing before the front end was built, ValueError if an article fills more than a page.
    """
    head = format_html('<title>{}</title><meta name="author" content="{}">', title, author)
    with _one_at_a_time:
        document = _laid_out(head, "".join(pages), stylesheet, language)
        for page, html in zip(document.pages, frames, strict=True):
            frame = _frame(html, stylesheet, language)
            page.paint = partial(_paint, page, frame)
        pdf: bytes = document.write_pdf(
            pdf_variant="pdf/ua-1", finisher=partial(_fill_in, drawings)
        )
    return pdf


def warm_up() -> None:
    """Load WeasyPrint and the fonts now, so that the first rendering need not."""
    with _one_at_a_time:
        _fonts()


def _laid_out(head: str, body: str, stylesheet: str, language: str) -> "Document":
    from weasyprint import HTML  # noqa: PLC0415 (30 MB, for workers only)

    first, _, region = language.partition("-")
    tag = f"{first}-{region.upper()}" if region else first
    html = (
        f'<!doctype html><html lang="{tag}"><head><meta charset="utf-8">{head}</head>'
        f"<body>{body}</body></html>"
    )
    configuration, faces = _fonts()
    return HTML(string=html, url_fetcher=_nothing()).render(
        stylesheets=[faces, _parsed(stylesheet)], font_config=configuration
    )


@lru_cache(maxsize=16)
def _frame(html: str, stylesheet: str, language: str) -> _Frame:
    (page,) = _laid_out("", html, stylesheet, language).pages
    return _Frame(page)


def _article(page: "Page") -> "Box":
    """Return the box of the <article> that fills a page."""
    (article,) = page._page_box.children[0].children[0].children
    return article


def _paint(page: "Page", frame: _Frame, stream: "Stream", scale: float = 1) -> None:
    """Draw a page of the document and its frame; stands in for WeasyPrint's Page.paint."""
    type(page).paint(page, stream, scale)
    drawing = frame.drawing(stream, scale)
    if _can_be_copied(drawing, stream):
        _copy(drawing, stream)
    else:
        frame.page.paint(stream, scale)
    # The tags of the document are built after this, from the tree of boxes.
    article = _article(page)
    before, *after = _article(frame.page).children
    article.children = (before, *article.children, *after)


def _joined(operators: Iterable[Any]) -> Iterator[Any]:
    """Yield operators as few and long pieces, and between them the numbers of pieces of text."""
    for is_number, some in groupby(operators, lambda operator: isinstance(operator, dict)):
        if is_number:
            yield from some
        else:
            yield b"\n".join(
                operator if isinstance(operator, bytes) else operator.encode() for operator in some
            )


def _can_be_copied(drawing: _Drawing, stream: "Stream") -> bool:
    """Return whether the page has all fonts of the frame, and those have all of its letters.

    Letters that no font has get numbers that differ from one document to the next.
    """
    return all(face in stream._fonts and not font.missing for face, font in drawing.fonts.items())


def _copy(drawing: _Drawing, stream: "Stream") -> None:
    """Append a drawing to a page's stream.

    Every piece of text has a number in its page's stream (MCID) that leads to its tag.
    """
    numbers = len(stream._tags)
    texts = iter(range(numbers, numbers + len(drawing.tags)))
    for operator in drawing.operators:
        if isinstance(operator, dict):
            operator = type(operator)(operator | {"MCID": next(texts)})
        stream.stream.append(operator)
    for box, tag in drawing.tags:
        stream._tags[box] = tag | {"mcid": tag["mcid"] + numbers}
    for face, font in drawing.fonts.items():
        stream._fonts[face].widths = font.widths | stream._fonts[face].widths
        stream._fonts[face].to_unicode = font.to_unicode | stream._fonts[face].to_unicode
    stream._resources["ExtGState"].update(drawing.states)


def _fill_in(drawings: Sequence[str], document: "Document", pdf: "PDF") -> None:
    """Put the drawings in the place of their placeholders, on whatever page these are."""
    mark = f" {_NOWHERE} 1 1 re".encode()
    for part in pdf.objects:
        for position, operator in enumerate(getattr(part, "stream", ())):
            if isinstance(operator, bytes) and operator.endswith(mark):
                part.stream[position] = drawings[int(operator.removesuffix(mark))].encode()


@cache
def _fonts() -> "tuple[FontConfiguration, CSS]":
    """Return the process's fonts, and the style sheet that declares them and their order."""
    from weasyprint import CSS  # noqa: PLC0415 (30 MB, for workers only)
    from weasyprint.text.fonts import FontConfiguration  # noqa: PLC0415 (30 MB, for workers only)

    fonts = _installed_fonts()
    rules = [
        f"@font-face {{ font-family: {font.family}; font-weight: {font.weight};"
        f" src: url({_FONT_SCHEME}{font.file}); {_FEATURES.get(font.family, '')} }}"
        for font in fonts
    ]
    families = ", ".join(dict.fromkeys(font.family for font in fonts))
    rules.append(f"html {{ font-family: {families} }}")
    configuration = FontConfiguration()
    atexit.register(_remove_copies, configuration)
    css = CSS(
        string="\n".join(rules), font_config=configuration, url_fetcher=_fetcher(_font_content)
    )
    # What is loaded by now stays. Where collections need not look at it again, and a rendering
    # brings several, they take a fifth less of its time.
    gc.collect()
    gc.freeze()
    return configuration, css


def _remove_copies(configuration: "FontConfiguration") -> None:
    """Remove the temporary folder with copies of the fonts, once, as the process ends."""
    configuration.__del__()
    configuration._folder = None


def _installed_fonts() -> list[_Font]:
    """Return what settings.FONTS holds, Noto Sans first; FontsMissing without it."""
    names = sorted(path.name for path in Path(settings.FONTS).glob("*.ttf"))
    fonts = [
        _Font(match[1], match[2], name) for name in names if (match := _FONT_FILE.fullmatch(name))
    ]
    if _FIRST_FAMILY not in {font.family for font in fonts}:
        raise FontsMissing("No fonts for PDFs. Put them in place with: npm run build")
    return sorted(fonts, key=lambda font: font.family != _FIRST_FAMILY)


@cache
def _parsed(stylesheet: str) -> "CSS":
    from weasyprint import CSS  # noqa: PLC0415 (30 MB, for workers only)

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
    from weasyprint.urls import URLFetcher, URLFetcherResponse  # noqa: PLC0415 (30 MB, for workers only)

    class Fetcher(URLFetcher):  # type: ignore[misc]
        def fetch(self, url: str, headers: dict[str, str] | None = None) -> "URLFetcherResponse":
            return URLFetcherResponse(url, content(url))

    return Fetcher()
