"""PDF from HTML: its tags and properties, its frames, and what it must never load."""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from django.utils.safestring import SafeString, mark_safe
from pypdf import PdfReader, PdfWriter
from pytest_django.fixtures import Settings

from conference import pdf

FRAME = "<article><header><h1>Above</h1></header><p>Below</p></article>"


def page(content: str) -> SafeString:
    """A page with this of its own."""
    return mark_safe(f"<article><p>{content}</p></article>")


def rendered(*contents: str, frame: str = FRAME) -> PdfReader:
    """The document with a page for each of the contents, all in one frame."""
    return document([page(text) for text in contents], frame)


def document(pages: list[SafeString], frame: str) -> PdfReader:
    """The document of these pages, all in one frame."""
    content = pdf.render(
        pages,
        frames=[mark_safe(frame)] * len(pages),
        drawings=[""] * len(pages),
        stylesheet="tickets/pdf/ticket.css",
        title="A <title> & more",
        language="en-gb",
        author="Łucja & friends",
    )
    return PdfReader(BytesIO(content))


def tags(element: Any) -> Iterator[tuple[str, int | None]]:
    """Each tag in reading order, with the number of its piece of text where it has one."""
    element = element.get_object()
    if isinstance(element, dict):
        kids = element["/K"] if isinstance(element["/K"], list) else [element["/K"]]
        if kids and isinstance(kids[0], int):
            yield element["/S"], int(kids[0])
        else:
            yield element["/S"], None
            for kid in kids:
                yield from tags(kid)


def looks(reader: PdfReader) -> list[bytes]:
    """Each page as pixels."""
    content = BytesIO()
    PdfWriter(reader).write(content)
    with pypdfium2.PdfDocument(content.getvalue()) as document:
        return [sheet.render(scale=1).to_numpy().tobytes() for sheet in document]


def reads(reader: PdfReader) -> tuple[list[str], list[tuple[str, int | None]]]:
    """Each page as text, and the document as tags in reading order."""
    (document,) = reader.trailer["/Root"]["/StructTreeRoot"]["/K"]
    return [sheet.extract_text() for sheet in reader.pages], list(tags(document))


@pytest.fixture
def address() -> Iterator[tuple[str, list[str]]]:
    """A web server's address, and the paths that were asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    thread.join()
    server.server_close()


def test_document_says_what_it_is() -> None:
    reader = rendered("Ada")
    root = reader.trailer["/Root"]
    assert reader.metadata.title == "A <title> & more"
    assert reader.metadata.author == "Łucja & friends"
    assert root["/Lang"] == "en-GB"
    assert root["/MarkInfo"]["/Marked"]
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert b'pdfuaid:part="1"' in root["/Metadata"].get_data()


def test_language_without_a_region_stays_as_it_is() -> None:
    content = pdf.render(
        [page("Łucja")],
        frames=[mark_safe(FRAME)],
        drawings=[""],
        stylesheet="tickets/pdf/ticket.css",
        title="Bilet",
        language="pl",
        author="",
    )
    assert PdfReader(BytesIO(content)).trailer["/Root"]["/Lang"] == "pl"


def test_frame_stands_around_what_each_page_has_of_its_own() -> None:
    reader = rendered("Ada", "Łucja", "山田")
    lines = [sorted(sheet.extract_text().split()) for sheet in reader.pages]
    assert lines == [
        ["Above", "Ada", "Below"],
        ["Above", "Below", "Łucja"],
        ["Above", "Below", "山田"],
    ]


def test_frame_is_read_in_its_place_on_every_page() -> None:
    reader = rendered("Ada", "Łucja")
    (document,) = reader.trailer["/Root"]["/StructTreeRoot"]["/K"]
    articles = [list(tags(article)) for article in document.get_object()["/K"]]
    names = [[name for name, _ in article] for article in articles]
    assert names == [["/Art", "/NonStruct", "/H1", "/Span", "/P", "/Span", "/P", "/Span"]] * 2
    numbers = [[number for _, number in article if number is not None] for article in articles]
    # The page's own text is drawn first (0), then the frame's.
    assert numbers == [[2, 0, 1], [2, 0, 1]]


def test_every_piece_of_text_leads_to_its_tag() -> None:
    reader = rendered("Ada", "Łucja", "山田")
    tree = reader.trailer["/Root"]["/StructTreeRoot"]["/ParentTree"]["/Nums"]
    for number, sheet in enumerate(reader.pages):
        assert sheet["/StructParents"] == number
        marked = re.findall(rb"/MCID (\d+)", sheet.get_contents().get_data())
        elements = tree[2 * number + 1].get_object()
        numbers = list(range(len(elements)))
        assert [int(digits) for digits in marked] == numbers
        assert [element.get_object()["/K"] for element in elements] == [[n] for n in numbers]
        assert {element.get_object()["/Pg"].get_object() == sheet for element in elements} == {True}


FRAMES = {
    "plain": FRAME,
    "bold": "<article><header><h1>Above</h1></header><p>One <strong>two</strong></p></article>",
    "lines": "<article><header><p><u>Above</u></p></header><footer>Below</footer></article>",
    "faint": '<article><header style="color: #00f3">Above</header></article>',
    "another script": "<article><header><h1>محمد 山田</h1></header><p>Below 🎟</p></article>",
    "letters that no font has": "<article><header><h1>A\U0001f9ff\ue001</h1></header></article>",
}


@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES)
def test_frame_looks_and_reads_as_if_the_page_had_drawn_it(frame: str) -> None:
    empty = "<article><header></header></article>"
    framed = document([mark_safe("<article></article>")], frame)
    drawn = document([mark_safe(frame)], empty)
    assert looks(framed) == looks(drawn)
    (texts, tags), (drawn_texts, drawn_tags) = reads(framed), reads(drawn)
    # The third is the empty frame's own header, after the document and the article.
    assert (texts, tags) == (drawn_texts, drawn_tags[:2] + drawn_tags[3:])


@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES)
def test_frame_stays_the_same_after_other_documents(frame: str) -> None:
    contents = "Ada", "Łucja <strong>Nguyễn</strong>", "山田 \ue002"
    first = rendered(*contents, frame=frame)
    rendered("Żółć \ue003 <strong>山</strong>", frame=frame)
    again = rendered(*contents, frame=frame)
    assert (looks(again), reads(again)) == (looks(first), reads(first))


def test_frames_of_one_document_may_differ() -> None:
    frames = [
        "<article><h1>One \U0001f9ff</h1></article>",
        "<article><h1>Two \ue001</h1></article>",
    ]
    content = pdf.render(
        [page("Ada"), page("Łucja"), page("Hana")],
        frames=[mark_safe(frames[number]) for number in (1, 0, 1)],
        drawings=["", "", ""],
        stylesheet="tickets/pdf/ticket.css",
        title="",
        language="en",
        author="",
    )
    with pypdfium2.PdfDocument(content) as sheets:
        texts = [sheet.get_textpage().get_text_bounded().split() for sheet in sheets]
    assert texts == [
        ["Ada", "Two", "\ue001"],
        ["Łucja", "One", "\U0001f9ff"],
        ["Hana", "Two", "\ue001"],
    ]


def test_document_holds_no_letters_of_an_earlier_one() -> None:
    """Who else comes is nobody's business, not even by the letters of the name."""
    frame = "<article><header><p>Above</p></header><p>Below it</p></article>"
    rendered("Qvist Żółć", frame=frame)
    reader = rendered("Ada", frame=frame)
    letters = set()
    for font in reader.pages[0]["/Resources"]["/Font"].values():
        mapped = font.get_object()["/ToUnicode"].get_object().get_data().decode()
        pairs = re.findall(r"<[0-9a-f]{4}> <([0-9a-f]{4})>", mapped.partition("beginbfchar")[2])
        letters |= {chr(int(code, 16)) for code in pairs}
    assert letters == set("AdaAboveBelow it")


def test_page_that_is_not_one_article_is_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        pdf.render(
            [mark_safe(page("Ada") + page("Łucja"))],
            frames=[mark_safe(FRAME)],
            drawings=[""],
            stylesheet="tickets/pdf/ticket.css",
            title="",
            language="en",
            author="",
        )


def test_drawing_fills_its_placeholder() -> None:
    frame = "<article><header></header></article>"
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 2 2" width="100" height="100">'
        f"<title>Two squares</title>{pdf.PLACEHOLDER}</svg>"
    )
    squares = "0 0 1 1 re 1 1 1 1 re", "1 0 1 1 re 0 1 1 1 re"
    content = pdf.render(
        [page(svg)] * 2,
        frames=[mark_safe(frame)] * 2,
        drawings=squares,
        stylesheet="tickets/pdf/ticket.css",
        title="Squares",
        language="en",
        author="",
    )
    with pypdfium2.PdfDocument(content) as document:
        dark = []
        for sheet in document:
            grey = sheet.render(scale=96 / 72, grayscale=True).to_numpy()
            # 20 mm and 18 mm from the left and the top, in pixels of which 96 are an inch.
            left, top = round(20 / 25.4 * 96), round(18 / 25.4 * 96)
            quarters = [(25, 25), (25, 75), (75, 25), (75, 75)]
            dark.append([grey[top + y, left + x] < 50 for y, x in quarters])
    assert dark == [[True, False, False, True], [False, True, True, False]]


def test_markup_loads_nothing(address: tuple[str, list[str]], tmp_path: Path) -> None:
    host, asked = address
    secret = tmp_path / "secret.txt"
    secret.write_text("TOP SECRET")
    markup = f"""
        <img src="{host}/1.png" alt="a"><img src="file://{secret}" alt="b">
        <img src="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg'/%3E" alt="c">
        <link rel="stylesheet" href="{host}/2.css"><style>@import url({host}/3.css);
        @font-face {{ font-family: x; src: url({host}/4.ttf) }} p {{ background: url({host}/5) }}
        </style><link rel="attachment" href="file://{secret}">
        <object data="{host}/6"></object><embed src="{host}/7">
        <svg xmlns="http://www.w3.org/2000/svg"><title>d</title><image href="{host}/8"/>
        <use href="{host}/9#a"/></svg>
        <p>Ada</p><a href="file://{secret}" rel="attachment">x</a>
    """
    reader = rendered(markup)
    assert "Ada" in reader.pages[0].extract_text()
    assert asked == []
    assert reader.attachments == {}


def test_missing_fonts_are_named(settings: Settings, tmp_path: Path) -> None:
    settings.FONTS = tmp_path
    with pytest.raises(pdf.FontsMissing, match="npm run build"):
        pdf._installed_fonts()


def test_noto_sans_comes_first() -> None:
    families = [font.family for font in pdf._installed_fonts()]
    assert families[:2] == ["NotoSans", "NotoSans"]
    assert sorted(set(families)) == ["NotoEmoji", "NotoSans", "NotoSansArabic", "NotoSansSC"]


def run(program: str, **env: str) -> tuple[str, str]:
    """What a process of its own in the site's settings writes to its two outputs."""
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "conference.settings", **env}
    program = "import django, sys; django.setup(); " + program
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=env)
    return done.stdout.strip(), done.stderr


def test_web_worker_loads_neither_weasyprint_nor_the_code_drawer() -> None:
    modules = "{'weasyprint', 'pydyf', 'qrcode', 'fontTools'}"
    program = f"import conference.urls, tickets.tasks; print({modules} & set(sys.modules))"
    assert run(program) == ("set()", "")


def test_fonts_leave_no_temporary_files(tmp_path: Path) -> None:
    program = "from conference import pdf; pdf.warm_up()"
    assert run(program, TMPDIR=str(tmp_path)) == ("", "")
    assert list(tmp_path.iterdir()) == []
