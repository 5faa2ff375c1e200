"""Tickets as PDF: what scanners, readers and screen readers find in them."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import numpy as np
import pypdfium2
import pytest
import zxingcpp
from django.utils import timezone
from pypdf import PdfReader

from conference.models import Conference
from tests.factories import make_conference, make_order, make_type
from tickets import documents
from tickets.models import Ticket

pytestmark = pytest.mark.django_db

NAMES = (
    "Łucja Wiśniewska",
    "Nguyễn Thị Hẹn",
    "محمد عبد الله",
    "山田 太郎",
    "张伟",
    "Sam 🌻👩🏽\u200d🦽 Green",
    "<b>Bob</b> & 'co' {{ x }}",
)
LONG_NAMES = (
    "Wolfeschlegelsteinhausenbergerdorff " * 5 + "the very last one of",
    "W" * 200,
    "山" * 200,
    "محمد " * 40,
    "👩🏽\u200d🦽" * 50,
    "a\u0301" * 100,
)
DPI = 150


@pytest.fixture
def conference() -> Conference:
    """A conference in London in winter."""
    return make_conference(
        name="Listening Together",
        starts_at=datetime(2027, 3, 13, 10, 0, tzinfo=UTC),
        ends_at=datetime(2027, 3, 13, 17, 0, tzinfo=UTC),
        closes_at=datetime(2027, 3, 12, tzinfo=UTC),
        venue="Mill Lane Hall",
        address="Mill Lane\nLeeds\nLS1 0AB",
        access_information="- Step-free.\n- A [quiet](https://example.org/quiet) room.",
    )


def tickets(conference: Conference, *names: str, **more: Any) -> list[Ticket]:
    """Tickets of these names, ten an order, as they are read to be printed."""
    for start in range(0, len(names), 10):
        make_order(
            conference,
            names=names[start : start + 10],
            now=datetime(2027, 1, 1, tzinfo=UTC),
            **more,
        )
    query = Ticket.objects.select_related("ticket_type", "order__conference__organisation")
    return list(query.order_by("pk"))


def reader(content: bytes) -> PdfReader:
    return PdfReader(BytesIO(content))


def text(content: bytes, page: int = 0) -> list[str]:
    """The lines of a page."""
    return [line.strip() for line in reader(content).pages[page].extract_text().split("\n")]


def pixels(content: bytes, dpi: int = DPI) -> Iterator[np.ndarray]:
    """Each page in grey, 0 to 255."""
    with pypdfium2.PdfDocument(content) as document:
        for page in document:
            yield page.render(scale=dpi / 72, grayscale=True).to_numpy().copy()


def bottom_of(content: bytes, words: str) -> float:
    """How far above the bottom of the first page these words stand, in mm."""
    with pypdfium2.PdfDocument(content) as document:
        page = document[0].get_textpage()
        found = page.search(words).get_next()
        assert found is not None
        return page.get_charbox(found[0])[1] / 72 * 25.4


def test_code_is_read_back_from_every_page(conference: Conference) -> None:
    printed = tickets(conference, *NAMES)
    pages = list(pixels(documents.tickets_pdf(printed)))
    read = [[code.text for code in zxingcpp.read_barcodes(page)] for page in pages]
    assert read == [[ticket.code] for ticket in printed]


def test_code_is_read_back_in_dark_mode_and_from_a_phone(conference: Conference) -> None:
    (ticket,) = tickets(conference, "Ada")
    content = documents.tickets_pdf([ticket])
    (page,) = pixels(content)
    assert [code.text for code in zxingcpp.read_barcodes(255 - page)] == [ticket.code]
    # A phone of 390 by 844 points at three pixels a point, the page as wide as its screen.
    (screen,) = pixels(content, dpi=round(390 * 3 / 8.27))
    assert [code.text for code in zxingcpp.read_barcodes(screen)] == [ticket.code]


def test_code_is_30_mm_of_black_on_white_with_its_quiet_zone(conference: Conference) -> None:
    dpi = 600
    (page,) = pixels(documents.tickets_pdf(tickets(conference, "Ada")), dpi)
    (code,) = zxingcpp.read_barcodes(page)
    corners = code.position
    millimetre = dpi / 25.4
    assert round((corners.top_right.x - corners.top_left.x) / millimetre) == 30
    assert round((corners.bottom_left.y - corners.top_left.y) / millimetre) == 30
    module = 30 / 37 * millimetre
    left, top = corners.top_left.x, corners.top_left.y
    side, margin = 37 * module, 3.8 * module
    outer = page[int(top - margin) : int(top + side + margin), int(left - margin) :]
    outer = outer[:, : int(side + 2 * margin)]
    inner = page[int(top) : int(top + side), int(left) : int(left + side)]
    assert (outer[: int(margin) - 2] == 255).all()
    assert (outer[:, : int(margin) - 2] == 255).all()
    assert (outer[int(-margin) + 2 :] == 255).all()
    assert (outer[:, int(-margin) + 2 :] == 255).all()
    assert (inner.min(), inner.max()) == (0, 255)


def test_rows_of_the_code_are_a_version_5_symbol(conference: Conference) -> None:
    (ticket,) = tickets(conference, "Ada")
    symbol = np.full((45, 45), 255, dtype=np.uint8)
    for x, y, width in documents.qr_rows(ticket.code):
        symbol[y, x : x + width] = 0
    (code,) = zxingcpp.read_barcodes(np.kron(symbol, np.ones((4, 4), dtype=np.uint8)))
    assert (code.text, code.ec_level, code.extra.get("Version")) == (ticket.code, "M", "5")


@pytest.mark.parametrize("name", NAMES)
def test_name_can_be_read_out_as_it_was_typed(conference: Conference, name: str) -> None:
    (ticket,) = tickets(conference, name)
    lines = text(documents.tickets_pdf([ticket]))
    assert lines[:5] == [
        "Ticket for",
        name,
        "Professional",
        f"Booking {ticket.order.reference}",
        ticket.reference,
    ]


def test_every_name_is_set_in_a_font_of_our_own(conference: Conference) -> None:
    content = documents.tickets_pdf(tickets(conference, *NAMES))
    fonts = reader(content).pages[0]["/Resources"]["/Font"].values()
    names = sorted(font.get_object()["/BaseFont"].partition("+")[2] for font in fonts)
    assert names == [
        "NotoEmoji-Bold",
        "NotoSans",
        "NotoSans-Bold",
        "NotoSansArabic-Bold",
        "NotoSansSC-Bold",
    ]


@pytest.mark.parametrize("name", LONG_NAMES)
def test_long_name_fits_the_card(conference: Conference, name: str) -> None:
    assert len(name) == 200
    make_type(conference, name="Service user, carer or family member", position=0)
    (ticket,) = tickets(conference, name, ticket_type=conference.ticket_types.last())
    content = documents.tickets_pdf([ticket])
    assert len(reader(content).pages) == 1
    # The card ends 171 mm above the page's bottom.
    assert bottom_of(content, f"Booking {ticket.order.reference}") > 171


def test_everything_fits_where_every_text_is_as_long_as_it_may_be(conference: Conference) -> None:
    for field, length in {"name": 200, "venue": 200}.items():
        setattr(conference, field, ("Words and words " * 13)[:length])
    conference.address = "A line of the address\n" * 6
    conference.access_information = "\n\n".join(["Many words about access. " * 30] * 5)
    conference.save()
    kind = make_type(conference, name=("Words and words " * 7)[:100])
    first, second = tickets(conference, "W" * 200, "Łucja", ticket_type=kind)
    content = documents.tickets_pdf([first, second])
    assert len(reader(content).pages) == 2
    # Millimetres from the page's bottom to the ends of header, card and text.
    assert bottom_of(content, "10:00 to 17:00 GMT") > 227
    assert bottom_of(content, f"Booking {first.order.reference}") > 171
    assert bottom_of(content, "…") > 31 > bottom_of(content, "If you cannot come")


def test_no_text_grows_on_to_a_second_page_however_wide_its_letters(
    conference: Conference,
) -> None:
    widest = "﷽"  # as wide as a word of ten letters
    conference.name = widest * 200
    conference.save()
    kind = make_type(conference, name=widest * 100)
    for ticket in tickets(conference, widest * 20, widest * 200, ticket_type=kind):
        content = documents.tickets_pdf([ticket])
        assert len(reader(content).pages) == 1
        assert bottom_of(content, f"Booking {ticket.order.reference}") > 171


def test_book_in_place_of_the_access_information_is_cut_without_delay(
    conference: Conference,
) -> None:
    conference.access_information = "a\n\n" * 30_000
    conference.save()
    began = time.process_time()
    assert "a" in text(documents.tickets_pdf(tickets(conference, "Ada")))
    assert time.process_time() - began < 10  # cut word by word, it took minutes


def test_ticket_says_when_and_where_and_what_to_do(conference: Conference) -> None:
    (ticket,) = tickets(conference, "Ada")
    assert text(documents.tickets_pdf([ticket]))[5:] == [
        "Open Dialogue Network",
        "Listening Together",
        "Saturday 13 March 2027",
        "10:00 to 17:00 GMT",
        "At the door",
        "Show the square code, on paper or on your phone. On a phone, zoom in on it.",
        "If it cannot be scanned, read out the eight letters and numbers below it.",
        "Tell us if anything would make the day easier for you. We are glad to help.",
        "Where",
        "Mill Lane Hall",
        "Mill Lane, Leeds, LS1 0AB",
        "Access",
        "Step-free.",
        "A quiet room.",
        *["1.", "2.", "3.", "•", "•"],
        "If you cannot come, please write to hello@example.org, so that someone else can have your",
        "place.",
        "Open Dialogue Network · Registered charity 1000000",
    ]


def test_online_ticket_speaks_of_the_link_instead_of_the_door(conference: Conference) -> None:
    online = make_type(conference, name="Online", is_online=True)
    make_order(conference, names=("Łucja",), ticket_type=online)
    content = documents.tickets_pdf(tickets(conference, "Ada"))
    assert "At the door" not in text(content, 0)
    assert text(content, 0)[9] == "Taking part online"
    assert text(content, 1)[9] == "At the door"


@pytest.mark.parametrize(
    ("zone", "starts", "ends", "words"),
    [
        (
            "Europe/London",
            datetime(2027, 6, 5, 9, 0, tzinfo=UTC),
            datetime(2027, 6, 5, 16, 30, tzinfo=UTC),
            ("Saturday 5 June 2027", "10:00 to 17:30 BST"),
        ),
        (
            "Europe/Warsaw",
            datetime(2027, 3, 12, 9, 0, tzinfo=UTC),
            datetime(2027, 3, 13, 16, 30, tzinfo=UTC),
            ("Friday 12 March 2027, 10:00 CET", "to Saturday 13 March 2027, 17:30 CET"),
        ),
        (
            "America/Sao_Paulo",
            datetime(2027, 6, 5, 1, 0, tzinfo=UTC),
            datetime(2027, 6, 5, 2, 0, tzinfo=UTC),
            ("Friday 4 June 2027", "22:00 to 23:00 UTC-03"),
        ),
    ],
)
def test_times_are_in_the_conferences_own_zone(
    conference: Conference, zone: str, starts: datetime, ends: datetime, words: tuple[str, str]
) -> None:
    conference.timezone, conference.starts_at, conference.ends_at = zone, starts, ends
    with timezone.override("Asia/Tokyo"):
        assert documents.when(conference) == words


def test_document_is_tagged_in_reading_order(conference: Conference) -> None:
    (ticket,) = tickets(conference, "Łucja")
    root = reader(documents.tickets_pdf([ticket])).trailer["/Root"]
    (article,) = root["/StructTreeRoot"]["/K"][0].get_object()["/K"]
    found = [tag for tag in tags(article) if tag[0] in ("/H1", "/H2", "/Figure", "/L", "/LI")]
    alternative = f"The QR code of this ticket. In letters: {ticket.reference}"
    assert found == [
        *[("/H1", ""), ("/H2", ""), ("/Figure", alternative)],
        *[("/H2", ""), ("/L", ""), ("/LI", ""), ("/LI", ""), ("/LI", "")],
        *[("/H2", ""), ("/H2", ""), ("/L", ""), ("/LI", ""), ("/LI", "")],
    ]


def tags(element: Any) -> Iterator[tuple[str, str]]:
    """Each tag with its alternative text, in reading order."""
    element = element.get_object()
    if isinstance(element, dict):
        yield element["/S"], element.get("/Alt", "")
        for kid in element["/K"]:
            if not isinstance(kid, int):
                yield from tags(kid)


def test_document_has_title_language_and_a_bookmark_for_each_name(conference: Conference) -> None:
    one, two = tickets(conference, "Łucja", "محمد")
    alone, both = reader(documents.tickets_pdf([one])), reader(documents.tickets_pdf([one, two]))
    assert alone.metadata.title == "Ticket for Łucja: Listening Together"
    assert both.metadata.title == "Tickets: Listening Together"
    assert both.trailer["/Root"]["/Lang"] == "en-GB"
    assert [mark.title for mark in both.outline] == ["Łucja", "محمد"]


def test_ticket_is_small(conference: Conference) -> None:
    assert len(documents.tickets_pdf(tickets(conference, "Ada Lovelace"))) < 25_000


def test_no_tickets_make_no_document() -> None:
    with pytest.raises(ValueError, match="no tickets"):
        documents.tickets_pdf([])


def test_many_tickets_come_in_batches_that_are_made_one_by_one(conference: Conference) -> None:
    printed = tickets(conference, *(f"Person {number}" for number in range(23)))
    taken: list[Ticket] = []

    def one_by_one() -> Iterator[Ticket]:
        for ticket in printed:
            taken.append(ticket)
            yield ticket

    sizes = []
    for content in documents.tickets_pdf_many(one_by_one()):
        sizes.append((len(reader(content).pages), len(taken)))
    assert sizes == [(10, 10), (10, 20), (3, 23)]
    assert list(documents.tickets_pdf_many([])) == []


def test_fingerprint_changes_with_whatever_is_printed(conference: Conference) -> None:
    printed = tickets(conference, "Ada", "Łucja")
    prints = [documents.fingerprint(printed), documents.fingerprint(printed[:1])]
    later = datetime(2027, 3, 13, 18, 0, tzinfo=UTC)
    for field, value in {"venue": "Elsewhere", "ends_at": later}.items():
        setattr(printed[0].order.conference, field, value)
        prints.append(documents.fingerprint(printed))
    printed[1].attendee_name = "Lucja"
    prints.append(documents.fingerprint(printed))
    printed[1].number += 1
    prints.append(documents.fingerprint(printed))
    assert len(set(prints)) == len(prints) == 6
    assert documents.fingerprint(printed) == prints[-1]
