"""PDF from HTML and CSS: tagged for screen readers (PDF/UA-1), with our own fonts embedded.

The only importer of WeasyPrint, and only once something is rendered: it costs 0.6 seconds and
30 MB, which web processes are spared.

Two things keep a page cheap. A process has one font configuration and one parsed style sheet:
fresh ones would leak 0.25 MB at every rendering and take twice the time. And what many pages
share, their frame, is laid out and drawn once in a process: otherwise a ticket would take 1.8
times as long, and 1.7 times in a batch, which is more than its target.

A frame is drawn in a PDF of its own. WeasyPrint's `finisher`, which sees a document's objects just
before they are written, is where the frame is copied into other documents. This relies on
undocumented behaviour of WeasyPrint. If an upgrade changes it, the test named with it in
tests/conference/test_pdf.py fails:

- A page has one stream of operators, and an article that fills it has the first tag of the page
  (`_pages`; `PDF.objects`, `.catalog`, `.page_references`, and PDF's own Contents, Resources,
  ExtGState, StructTreeRoot, ParentTree, Nums, Pg): test_frame_is_read_in_its_place_on_every_page.
- Each piece of text begins with a dictionary of its number, which counts up from 0 on each page
  (`_add`; `Stream.stream`, MCID, K, P): test_every_piece_of_text_leads_to_its_tag.
- The first operator of a page, and no other, flips its y axis (`_add`):
  test_frame_looks_and_reads_as_if_the_page_had_drawn_it.
- A document uses the fonts that it is given, and whatever it adds to them goes into their
  dictionaries (`_copied`; `Document.fonts`, the attributes of `Font`):
  test_frame_stays_the_same_after_other_documents,
  test_document_holds_no_letters_of_an_earlier_one.
- A <rect> in an <svg> becomes one operator of its page (`_RECTANGLE`):
  test_drawing_fills_its_placeholder.
- A font configuration removes its temporary files when nothing refers to it (`_fonts`):
  test_fonts_leave_no_temporary_files.
"""

import atexit
import re
from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from functools import cache, lru_cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString

if TYPE_CHECKING:
    from pydyf import PDF, Array, Dictionary  # type: ignore[import-untyped]
    from weasyprint import CSS, Document
    from weasyprint.pdf.fonts import Font
    from weasyprint.text.fonts import FontConfiguration
    from weasyprint.urls import URLFetcher

# Marks the place of a drawing in an <svg>, far outside the page, and the operator it becomes.
PLACEHOLDER = SafeString('<rect x="0" y="-100000" width="1" height="1"/>')
_RECTANGLE = b"0 -100000 1 1 re"

_FONT_FILE = re.compile(r"([A-Za-z]+)_(\d{3})[A-Za-z]+\.ttf")
_FIRST_FAMILY = "NotoSans"
# Noto Sans composes ẹ, ị and ọ of two glyphs. WeasyPrint then records the wrong letter for each
# plain e, i and o of the document: it looks right, but a screen reader reads out nonsense
# (test_name_can_be_read_out_as_it_was_typed in tests/tickets/test_documents.py).
_FEATURES = {"NotoSans": 'font-feature-settings: "ccmp" 0'}

# Only one thread at a time may use Pango's font map.
_one_at_a_time = Lock()


class FontsMissing(Exception):
    """The fonts that PDFs embed are missing; `npm run build` puts them in place."""


class _Font(NamedTuple):
    """One file in settings.FONTS, such as NotoSans_700Bold.ttf."""

    family: str
    weight: str
    path: Path


class _Page(NamedTuple):
    """The parts of a page in a PDF; changing them changes the page."""

    reference: bytes
    operators: list[Any]  # bytes, and a dictionary where a piece of text begins
    states: "Dictionary"  # of the graphics, by the names that the operators use
    tags: "list[Dictionary]"  # the <article> first
    texts: "Array"  # for each piece of text, by its number, the reference of its tag


def render(
    pages: Sequence[SafeString],
    *,
    frames: Sequence[SafeString],
    drawings: Sequence[str],
    stylesheet: str,
    title: str,
    language: str,
    author: str,
) -> bytes:
    """Return a PDF/UA-1 document of `pages`, each an <article> that fills one page.

    `frames` has for each page what it shares with others: also an <article>, whose first element
    is read before the page's own content and the others after it. Frame and page are laid out
    separately, so neither may move the other. A frame has no links and no pictures.

    `drawings` has for each page what replaces its PLACEHOLDER, '' for nothing: a path in PDF's
    own operators ('x y width height re …') and in the units of the <svg> around it.
    WeasyPrint would take 10 ms to read a QR code from SVG.

    `stylesheet` names a template with the CSS, which stays in memory for the life of the process.
    `title`, `author` and `language` (such as 'en-gb') go into the document's properties. The
    fonts are those in settings.FONTS: Noto Sans first, the others for the letters that it lacks.
    The markup cannot load anything from the network or from a file. Raises FontsMissing if the
    front end was not built, ValueError if an article fills more than a page.
    """
    head = format_html('<title>{}</title><meta name="author" content="{}">', title, author)
    with _one_at_a_time:
        drawn, fonts = _drawn(tuple(sorted(set(frames))), stylesheet, language)
        document = _laid_out(head, pages, stylesheet, language)
        document.fonts = {key: _copied(font) for key, font in fonts.items()}

        def finish(_document: "Document", pdf: "PDF") -> None:
            for page, frame, drawing in zip(_pages(pdf), frames, drawings, strict=True):
                if drawing:
                    page.operators[page.operators.index(_RECTANGLE)] = drawing.encode()
                _add(drawn[frame], page, pdf)

        content: bytes = document.write_pdf(pdf_variant="pdf/ua-1", finisher=finish)
    return content


def warm_up() -> None:
    """Load WeasyPrint and the fonts now, so that the first rendering need not."""
    with _one_at_a_time:
        _fonts()


def _laid_out(head: str, pages: Iterable[str], stylesheet: str, language: str) -> "Document":
    from weasyprint import HTML  # noqa: PLC0415 (30 MB, for workers only)

    first, _, region = language.partition("-")
    tag = f"{first}-{region.upper()}" if region else first
    html = (
        f'<!doctype html><html lang="{tag}"><head><meta charset="utf-8">{head}</head>'
        f"<body>{''.join(pages)}</body></html>"
    )
    configuration, faces = _fonts()
    return HTML(string=html, url_fetcher=_fetcher()).render(
        stylesheets=[faces, _parsed(stylesheet)], font_config=configuration
    )


@lru_cache(maxsize=16)
def _drawn(
    frames: tuple[str, ...], stylesheet: str, language: str
) -> "tuple[dict[str, _Page], dict[int, Font]]":
    """Return the page that each of these frames fills, and the fonts with all their letters."""
    document = _laid_out("", frames, stylesheet, language)
    pages: list[_Page] = []
    document.write_pdf(pdf_tags=True, finisher=lambda _document, pdf: pages.extend(_pages(pdf)))
    return dict(zip(frames, pages, strict=True)), document.fonts


def _pages(pdf: "PDF") -> Iterator[_Page]:
    """Yield the pages of a PDF."""

    def at(reference: bytes) -> Any:
        return pdf.objects[int(reference.split()[0])]

    dictionaries = [part for part in pdf.objects if isinstance(part, dict)]
    # For each page its number, then its texts.
    texts = at(at(pdf.catalog["StructTreeRoot"])["ParentTree"])["Nums"][1::2]
    for number, reference in enumerate(pdf.page_references):
        page = at(reference)
        yield _Page(
            reference,
            at(page["Contents"]).stream,
            at(page["Resources"])["ExtGState"],
            [part for part in dictionaries if part.get("Pg") == reference],
            texts[number],
        )


def _add(frame: _Page, page: _Page, pdf: "PDF") -> None:
    """Add a frame to a page of `pdf`: draw it over the page, and put its tags around the page's."""
    from pydyf import Array, Dictionary  # noqa: PLC0415 (WeasyPrint has loaded it by now)

    first_number = len(page.texts)
    # The first operator flips the y axis, which the page has done already.
    for operator in frame.operators[1:]:
        if isinstance(operator, dict):
            operator = Dictionary({"MCID": first_number + operator["MCID"]})
        page.operators.append(operator)
    page.states.update(frame.states)

    article, frame_article = page.tags[0], frame.tags[0]
    copies = [(tag, Dictionary(tag)) for tag in frame.tags[1:]]
    references = {frame_article.reference: article.reference}
    for tag, copied in copies:
        pdf.add_object(copied)
        references[tag.reference] = copied.reference
    for tag, copied in copies:
        copied["P"] = references[tag["P"]]
        copied["Pg"] = page.reference
        # A tag contains other tags, or the numbers of pieces of text.
        copied["K"] = Array(
            first_number + kid if isinstance(kid, int) else references[kid] for kid in tag["K"]
        )
    page.texts.extend(references[text] for text in frame.texts)
    before, *after = (references[kid] for kid in frame_article["K"])
    article["K"] = Array([before, *article["K"], *after])


def _copied(font: "Font") -> "Font":
    """Return a copy of a font, so that a document adds its letters only to the copy."""
    copied = copy(font)
    for name, value in vars(font).items():
        if isinstance(value, dict):
            setattr(copied, name, value.copy())
    return copied


@cache
def _fonts() -> "tuple[FontConfiguration, CSS]":
    """Return the process's fonts, and the style sheet that declares them and their order."""
    from weasyprint import CSS  # noqa: PLC0415 (30 MB, for workers only)
    from weasyprint.text.fonts import FontConfiguration  # noqa: PLC0415 (30 MB, for workers only)

    fonts = _installed_fonts()
    rules = [
        f"@font-face {{ font-family: {font.family}; font-weight: {font.weight};"
        f" src: url({font.path.as_uri()}); {_FEATURES.get(font.family, '')} }}"
        for font in fonts
    ]
    families = ", ".join(dict.fromkeys(font.family for font in fonts))
    rules.append(f"html {{ font-family: {families} }}")
    configuration = FontConfiguration()
    css = CSS(string="\n".join(rules), font_config=configuration, url_fetcher=_fetcher("file"))
    # Release the configuration while Python can still delete its temporary files.
    atexit.register(_fonts.cache_clear)
    return configuration, css


def _installed_fonts() -> list[_Font]:
    """Return the fonts in settings.FONTS, Noto Sans first. Raises FontsMissing without it."""
    paths = sorted(Path(settings.FONTS).resolve().glob("*.ttf"))
    fonts = [
        _Font(match[1], match[2], path)
        for path in paths
        if (match := _FONT_FILE.fullmatch(path.name))
    ]
    if _FIRST_FAMILY not in {font.family for font in fonts}:
        raise FontsMissing("No fonts for PDFs. Put them in place with: npm run build")
    return sorted(fonts, key=lambda font: font.family != _FIRST_FAMILY)


@cache
def _parsed(stylesheet: str) -> "CSS":
    from weasyprint import CSS  # noqa: PLC0415 (30 MB, for workers only)

    return CSS(string=render_to_string(stylesheet), url_fetcher=_fetcher())


@cache
def _fetcher(*protocols: str) -> "URLFetcher":
    """Return a loader that refuses URLs of all but these protocols."""
    from weasyprint.urls import URLFetcher  # noqa: PLC0415 (30 MB, for workers only)

    return URLFetcher(allowed_protocols=protocols)
