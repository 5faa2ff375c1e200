"""Tickets as PDF: one tagged A4 page each, with the QR code as a vector drawing."""

import gc
import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from html import unescape
from itertools import groupby, islice
from math import ceil

from django.template.defaultfilters import truncatewords_html
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.formats import date_format
from django.utils.html import strip_tags
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from conference import pdf
from conference.models import Conference
from tickets.models import Ticket

# Batches of 20 would take a fifth less time, but 4 MB more, which passes the limit of 120 MB.
BATCH = 10
STYLE = "tickets/pdf/ticket.css"
QUIET_ZONE = 4  # modules of white around the code
MODULES = 37  # of a QR symbol of version 5
# Any mask reads equally well here, as a signature looks random. Trying all eight takes 8 ms.
_MASK = 2
# The page has room for this many lines of venue, address and access information together, each
# of this many letters.
_LINES = 12
_LINE_LENGTH = 85
_BLOCK_END = re.compile(r"</(?:p|li|h\d|tr|pre|blockquote)>|<br>")
_LINK = re.compile(r"</?a\b[^>]*>")

# The style sheet's class for a text that is wider than this number of letters.
_NAME_SIZES = {
    130: "name tiny",
    90: "name smallest",
    44: "name smaller",
    20: "name small",
    0: "name",
}
_TYPE_SIZES = {66: "type smaller", 36: "type small", 0: "type"}
_TITLE_SIZES = {120: "smallest", 66: "smaller", 24: "small", 0: ""}


def tickets_pdf(tickets: Sequence[Ticket], *, is_named: bool = True) -> bytes:
    """Return one PDF/UA-1 document with a page for each of the tickets of one conference.

    Unless `is_named`, no attendee's name is in it: for an address that somebody else gave.

    Fetch the tickets with select_related('ticket_type', 'order__conference__organisation'). For
    more tickets than one order has use `tickets_pdf_many`. Raises ValueError without tickets.
    """
    if not tickets:
        raise ValueError("no tickets to print")
    conference = tickets[0].order.conference
    return pdf.render(
        _pages(tickets, is_named=is_named),
        frames=_frames(tickets),
        drawings=[_qr_operators(ticket.code) for ticket in tickets],
        stylesheet=STYLE,
        title=_title(tickets, is_named=is_named),
        language=translation.get_language() or "en-gb",
        author=conference.organisation.name,
    )


def tickets_pdf_many(tickets: Iterable[Ticket]) -> Iterator[bytes]:
    """Yield PDFs of up to BATCH tickets each, taking from `tickets` only what the next one needs.

    Memory stays flat however many there are, provided that `tickets` does not hold them all
    (`queryset.iterator()`).
    """
    remaining = iter(tickets)
    while batch := list(islice(remaining, BATCH)):
        yield tickets_pdf(batch)
        # A document is full of reference cycles. Freeing them here keeps the peak of memory at
        # 116 MB; otherwise several documents add up to 125 MB.
        gc.collect()


def fingerprint(tickets: Sequence[Ticket]) -> str:
    """Return a digest (64 hexadecimal digits) of all that `tickets_pdf` would print.

    It changes with every name, text, time and code on the tickets, and needs no WeasyPrint.
    """
    codes = (ticket.code for ticket in tickets)
    parts = (render_to_string(STYLE), *_pages(tickets, is_named=True), *_frames(tickets), *codes)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def qr_rows(code: str) -> Iterator[tuple[int, int, int]]:
    """Yield (x, y, width) of each dark run in the QR symbol of a signed code, in modules.

    The symbol is 45 modules wide and high with its quiet zone: version 5, level M. Raises
    qrcode's DataOverflowError for a text of more than 122 characters.
    """
    # Imported here, because a web process draws no tickets and can save the 6 MB.
    from qrcode import QRCode  # noqa: PLC0415 (6 MB)
    from qrcode.constants import ERROR_CORRECT_M  # noqa: PLC0415 (6 MB)
    from qrcode.util import MODE_ALPHA_NUM, QRData  # noqa: PLC0415 (6 MB)

    symbol = QRCode(version=5, error_correction=ERROR_CORRECT_M, mask_pattern=_MASK, border=0)
    symbol.add_data(QRData(code.encode(), mode=MODE_ALPHA_NUM))
    symbol.make(fit=False)
    for y, row in enumerate(symbol.modules, start=QUIET_ZONE):
        x = QUIET_ZONE
        for is_dark, stretch in groupby(row):
            width = len(list(stretch))
            if is_dark:
                yield x, y, width
            x += width


def when(conference: Conference) -> tuple[str, str]:
    """Return the conference's day and its times in words, in its own zone with abbreviation.

    ('Saturday 13 March 2027', '10:00 to 16:30 GMT'); over several days
    ('Friday 12 March 2027, 10:00 GMT', 'to Saturday 13 March 2027, 16:30 GMT').
    """
    starts = conference.starts_at.astimezone(conference.zone)
    ends = conference.ends_at.astimezone(conference.zone)
    first_day, last_day = (date_format(at, "l j F Y") for at in (starts, ends))
    first, last = (date_format(at, "H:i") for at in (starts, ends))
    first_zone, last_zone = (_zone_name(at.strftime("%Z")) for at in (starts, ends))
    if first_day == last_day and first_zone == last_zone:
        return first_day, _("%(start)s to %(end)s %(zone)s") % {
            "start": first,
            "end": last,
            "zone": last_zone,
        }
    return (
        f"{first_day}, {first} {first_zone}",
        _("to %(end)s") % {"end": f"{last_day}, {last} {last_zone}"},
    )


def _zone_name(abbreviation: str) -> str:
    """Return an abbreviation such as 'GMT' as it is, but a bare offset like '-03' as 'UTC-03'."""
    return f"UTC{abbreviation}" if abbreviation[:1] in "+-" else abbreviation


def _title(tickets: Sequence[Ticket], *, is_named: bool) -> str:
    conference = tickets[0].order.conference.name
    if len(tickets) > 1:
        return _("Tickets: %(conference)s") % {"conference": conference}
    if not is_named:
        return _("Ticket: %(conference)s") % {"conference": conference}
    name = tickets[0].attendee_name
    return _("Ticket for %(name)s: %(conference)s") % {"name": name, "conference": conference}


def _pages(tickets: Sequence[Ticket], *, is_named: bool) -> list[SafeString]:
    """Return the HTML that is particular to each ticket."""
    return [
        render_to_string(
            "tickets/pdf/ticket.html",
            {
                "ticket": ticket,
                "is_named": is_named,
                "name_class": _size(_NAME_SIZES, ticket.attendee_name),
                "type_class": _size(_TYPE_SIZES, ticket.ticket_type.name),
                "symbol": MODULES + 2 * QUIET_ZONE,
                "qr": pdf.PLACEHOLDER,
            },
        )
        for ticket in tickets
    ]


def _frames(tickets: Sequence[Ticket]) -> list[SafeString]:
    """Return for each ticket the HTML that it shares with others."""
    conference = tickets[0].order.conference
    day, times = when(conference)
    address = ", ".join(line.strip() for line in conference.address.splitlines() if line.strip())
    context = {
        "conference": conference,
        "organisation": conference.organisation,
        "title_class": _size(_TITLE_SIZES, conference.name),
        "day": day,
        "times": times,
        "address": address,
        "access": _access(conference, _LINES - _lines(conference.venue) - _lines(address)),
    }
    frames = {
        is_online: render_to_string("tickets/pdf/frame.html", {**context, "is_online": is_online})
        for is_online in {ticket.ticket_type.is_online for ticket in tickets}
    }
    return [frames[ticket.ticket_type.is_online] for ticket in tickets]


def _access(conference: Conference, room: int) -> SafeString:
    """Return the access information without links, cut to fit `room` lines."""
    # First roughly, to what fits if every word is one letter: a whole book, cut word by word, would
    # keep the worker busy for a minute.
    html = truncatewords_html(
        _LINK.sub("", conference.access_information_html), _LINES * _LINE_LENGTH // 2
    )
    words = len(html.split())
    cut = html
    while words and _lines(cut) > room:
        words -= 5
        cut = truncatewords_html(html, words)
    return mark_safe(cut)  # noqa: S308 - sanitised when it was saved


def _lines(html: str) -> int:
    """Return about how many lines of the page this HTML fills."""
    blocks = (unescape(strip_tags(block)).strip() for block in _BLOCK_END.split(html))
    return sum(ceil(len(block) / _LINE_LENGTH) for block in blocks)


def _size(sizes: dict[int, str], text: str) -> str:
    """Return the class for a text: the wider the text, the smaller its letters."""
    # Chinese and Japanese letters, and most emoji, are twice as wide.
    width = sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)
    return next(name for least, name in sizes.items() if width > least or not least)


def _qr_operators(code: str) -> str:
    """Return the QR symbol of a signed code as one path in PDF's operators."""
    return "".join(f"{x} {y} {width} 1 re " for x, y, width in qr_rows(code))
