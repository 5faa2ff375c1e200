"""Tickets as PDF: one tagged A4 page each, with the QR code as a vector drawing."""

import hashlib
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from html import unescape
from itertools import groupby, islice

from django.template.loader import render_to_string
from django.utils import translation
from django.utils.formats import date_format
from django.utils.html import strip_tags
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from qrcode import QRCode
from qrcode.constants import ERROR_CORRECT_M
from qrcode.util import MODE_ALPHA_NUM, QRData

from conference import pdf
from conference.models import Conference
from tickets.models import Ticket

# Long enough to share the fonts of a document, short enough to keep the memory flat.
BATCH = 25
ACCESS_LINES = 10
LINE_LENGTH = 80  # letters that surely fit on one line of the page
STYLE = "tickets/pdf/ticket.css"
QUIET_ZONE = 4  # modules of white around the code
MODULES = 37  # of a QR symbol of version 5
_SYMBOL = MODULES + 2 * QUIET_ZONE
# Any mask reads equally well here, as a signature looks random. Trying all eight takes 8 ms.
_MASK = 2

# From how many letters' width on a name is set smaller: (more than, class of the style sheet).
_NAME_SIZES = ((90, "name smallest"), (44, "name smaller"), (20, "name small"), (0, "name"))


def tickets_pdf(tickets: Sequence[Ticket]) -> bytes:
    """Return one PDF/UA-1 document with a page for each of the tickets of one conference.

    The tickets come with `ticket_type` and `order__conference__organisation` selected. For more
    tickets than an order holds use `tickets_pdf_many`. Raises ValueError without tickets.
    """
    if not tickets:
        raise ValueError("no tickets to print")
    conference = tickets[0].order.conference
    if len(tickets) == 1:
        title = _("Ticket for %(name)s: %(conference)s") % {
            "name": tickets[0].attendee_name,
            "conference": conference.name,
        }
    else:
        title = _("Tickets: %(conference)s") % {"conference": conference.name}
    return pdf.render(
        _html(tickets),
        drawings=[_qr_operators(ticket.code) for ticket in tickets],
        stylesheet=STYLE,
        title=title,
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


def fingerprint(tickets: Sequence[Ticket]) -> str:
    """Return a digest (64 hexadecimal digits) of all that `tickets_pdf` would print.

    It changes with every name, text, time and code on the tickets, and needs no WeasyPrint.
    """
    parts = (render_to_string(STYLE), _html(tickets), *(ticket.code for ticket in tickets))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def qr_rows(code: str) -> Iterator[tuple[int, int, int]]:
    """Yield (x, y, width) of each dark stretch in the QR symbol of a signed code, in modules.

    The symbol is 45 modules wide and high with its quiet zone: version 5, level M. Raises
    qrcode's DataOverflowError for a text of more than 122 characters.
    """
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


def _qr_operators(code: str) -> str:
    """Return the QR symbol of a signed code as one path in PDF's operators."""
    return "".join(f"{x} {y} {width} 1 re " for x, y, width in qr_rows(code))


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
    """Return 'GMT' as it is, and '-03', all that some zones have, as 'UTC-03'."""
    return f"UTC{abbreviation}" if abbreviation[:1] in "+-" else abbreviation


def _html(tickets: Sequence[Ticket]) -> SafeString:
    conference = tickets[0].order.conference
    day, times = when(conference)
    return render_to_string(
        "tickets/pdf/tickets.html",
        {
            "conference": conference,
            "organisation": conference.organisation,
            "day": day,
            "times": times,
            "symbol": _SYMBOL,
            "access": _access(conference),
            "pages": [
                {
                    "ticket": ticket,
                    "name_class": _name_class(ticket.attendee_name),
                    "qr": pdf.placeholder(index),
                }
                for index, ticket in enumerate(tickets)
            ],
        },
    )


def _access(conference: Conference) -> str:
    """Return the conference's access information as lines of plain text, ACCESS_LINES at most."""
    html = conference.access_information_html.replace("<li>", "<li>• ")
    lines = [line.strip() for line in unescape(strip_tags(html)).splitlines() if line.strip()]
    room = ACCESS_LINES
    for position, line in enumerate(lines):
        room -= 1 + len(line) // LINE_LENGTH
        if room < 0:
            return "\n".join([*lines[:position], "…"])
    return "\n".join(lines)


def _name_class(name: str) -> str:
    """Return the classes for a name: the wider, the smaller it is set."""
    # Chinese and Japanese letters, and most emoji, are twice as wide.
    width = sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in name)
    return next(classes for least, classes in _NAME_SIZES if width > least or not least)
