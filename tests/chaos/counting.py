"""What a drill comes to: what people were told, against the database, Stripe and the mail server.

Runs in the site's own settings (`within`), on the site's own database.
"""

import io
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pypdfium2
import requests
import zxingcpp
from django.conf import settings
from django.db.models import Count, Q, Sum

from conference import codes
from conference.models import Mail
from donations.models import Payment, Refund
from tests.chaos.plan import Booking
from tests.chaos.post_office import ACCEPTED
from tickets.models import Order, Ticket, TicketType

PDFS_READ = 5  # of all that were mailed; each takes a moment


@dataclass
class Counted:
    """The figures, and for each that must be nothing the cases that are not."""

    figures: dict[str, int | str] = field(default_factory=dict)
    faults: dict[str, list[str]] = field(default_factory=dict)

    def fault(self, name: str, cases: list[str]) -> None:
        """A fault that must not occur, and where it did."""
        self.faults[name] = cases


def count(bookings: list[Booking], letters: Path) -> Counted:
    """Everything, once all is quiet; `letters` holds what the mail server accepted."""
    counted = Counted()
    orders = defaultdict(list)
    for order in Order.objects.annotate(
        valid=Count("tickets", filter=Q(tickets__status=Ticket.Status.VALID)),
        holding=Count("tickets", filter=Q(tickets__status__in=Ticket.HOLDING)),
    ).select_related("donation"):
        orders[order.email].append(order)
    _promises(counted, bookings, orders)
    _places(counted)
    _money(counted, bookings, orders)
    _mails(counted, letters)
    return counted


def _promises(counted: Counted, bookings: list[Booking], orders: dict[str, list[Any]]) -> None:
    told = Counter(booking.told for booking in bookings)
    yes = [booking for booking in bookings if booking.told in ("coming", "kept")]
    counted.figures["asked"] = sum(booking.has_asked for booking in bookings)
    counted.figures["told yes"] = len(yes)
    counted.figures["of these, the tickets"] = told["coming"]
    counted.figures["told no (sold out)"] = told["no"]
    counted.fault(
        "lost: told yes, and there is no such order",
        [b.email for b in yes if not orders[b.email]],
    )
    counted.fault(
        "lost: told that they are coming, and not all tickets are valid",
        [
            b.email
            for b in bookings
            if b.told == "coming" and sum(order.valid for order in orders[b.email]) < b.people
        ],
    )
    counted.fault(
        "doubled: more orders or tickets than were asked for",
        [
            b.email
            for b in bookings
            if len(orders[b.email]) > 1
            or sum(order.holding for order in orders[b.email]) > b.people
        ],
    )
    counted.fault(
        "told no, but has places",
        [b.email for b in bookings if b.told == "no" and any(o.holding for o in orders[b.email])],
    )
    counted.fault(
        "told no, although there were places",
        [b.email for b in bookings if b.told == "no" and not b.wants_few],
    )
    answers = ("coming", "kept", "no")
    counted.fault(
        "without an answer",
        [f"{b.email}: {b.told or 'none'}" for b in bookings if b.told not in answers],
    )
    known = {booking.email for booking in bookings}
    counted.fault("orders that nobody asked for", sorted(set(orders) - known))


def _places(counted: Counted) -> None:
    taken = Ticket.objects.holding_places().count_by_type()
    counted.fault(
        "oversold",
        [
            f"{kind}: {taken.get(kind.pk, 0)} of {kind.capacity}"
            for kind in TicketType.objects.all()
            if taken.get(kind.pk, 0) > kind.capacity
        ],
    )
    few = TicketType.objects.get(name="few")
    counted.figures["places of the kind that sells out"] = f"{taken.get(few.pk, 0)}/{few.capacity}"


def _money(counted: Counted, bookings: list[Booking], orders: dict[str, list[Any]]) -> None:
    there = {
        session["id"]: session["amount_total"]
        for session in _at_stripe("checkout/sessions")
        if session["payment_status"] == "paid"
    }
    given_back = {refund["payment_intent"]: refund["amount"] for refund in _at_stripe("refunds")}
    paid = Payment.objects.filter(status=Payment.Status.PAID).select_related("donation__order")
    here = {str(payment.session_id): payment.amount_pence for payment in paid}
    refunds = Refund.objects.not_failed().aggregate(pence=Sum("amount_pence"))["pence"] or 0
    ours, theirs = sum(here.values()) - refunds, sum(there.values()) - sum(given_back.values())
    counted.figures["pence here"] = ours
    counted.figures["pence at Stripe"] = theirs
    counted.fault(
        "another sum here than at Stripe", [f"{ours - theirs}p"] if ours != theirs else []
    )
    counted.fault(
        "paid at Stripe and not here, or the other way round, or another sum",
        sorted(
            session
            for session in here.keys() | there.keys()
            if here.get(session) != there.get(session)
        ),
    )
    counted.fault(
        "paid, and neither a confirmed order nor a refund",
        [
            payment.donation.order.email
            for payment in paid
            if payment.donation.order.status != Order.Status.CONFIRMED
            and payment.payment_intent_id not in given_back
        ],
    )
    counted.fault(
        "told by Stripe that they have paid, and not confirmed",
        [
            b.email
            for b in bookings
            if b.has_paid and not any(o.status == Order.Status.CONFIRMED for o in orders[b.email])
        ],
    )
    counted.fault(
        "charged another sum than was chosen",
        [
            b.email
            for b in bookings
            for order in orders[b.email]
            if order.donation is not None
            and order.status == Order.Status.CONFIRMED
            and b.gift_pence != sum(p.amount_pence for p in paid if p.donation == order.donation)
        ],
    )


def _at_stripe(what: str) -> Iterator[dict[str, Any]]:
    """All objects of a kind, from the local Stripe's API."""
    after: dict[str, str] = {}
    while True:
        answer = requests.get(
            f"{settings.STRIPE_API_BASE}/v1/{what}",
            {"limit": "100", **after},
            headers={"Authorization": f"Bearer {settings.STRIPE_SECRET_KEY}"},
            timeout=30,
        ).json()
        yield from answer["data"]
        if not answer["has_more"]:
            return
        after = {"starting_after": answer["data"][-1]["id"]}


def _mails(counted: Counted, folder: Path) -> None:
    letters = [
        message_from_bytes(file.read_bytes(), policy=policy.default)
        for file in sorted(folder.glob(f"*{ACCEPTED}"))
    ]
    # conference/delivery.py makes a message's Message-ID of its primary key.
    arrived = Counter(str(letter["Message-ID"]).strip("<>").partition("@")[0] for letter in letters)
    rows = {str(row.pk): row for row in Mail.objects.all()}
    counted.figures["mails written"] = len(rows)
    counted.figures["mails sent"] = sum(row.status == Mail.Status.SENT for row in rows.values())
    counted.figures["mails that arrived"] = len(arrived)
    # Allowed (conference/mail.py says why): a sender that is killed between the server's 'yes'
    # and our writing it down sends the same message again, and mail programs can tell.
    counted.figures["arrived again, with the same Message-ID"] = len(letters) - len(arrived)
    counted.fault(
        "mails not sent, or sent and never arrived",
        [
            f"{row.to}: {row.subject} ({row.status})"
            for pk, row in rows.items()
            if pk not in arrived or row.status != Mail.Status.SENT
        ],
    )
    counted.fault("mails that nobody wrote", sorted(arrived.keys() - rows.keys()))
    told: dict[tuple[str, str], set[str]] = defaultdict(set)
    for letter in letters:
        told[str(letter["To"]), str(letter["Subject"])].add(str(letter["Message-ID"]))
    counted.fault(
        "mails sent twice",
        [f"{to}: {subject}" for (to, subject), ids in told.items() if len(ids) > 1],
    )
    tickets = {str(letter["To"]): letter for letter in letters if _pdf_of(letter) is not None}
    confirmed = Order.objects.filter(status=Order.Status.CONFIRMED).order_by("pk")
    counted.fault(
        "confirmed, and no ticket mailed",
        [order.email for order in confirmed if order.email not in tickets],
    )
    counted.fault(
        "PDFs that do not open, or with other codes",
        [
            order.email
            for number, order in enumerate(confirmed)
            if order.email in tickets
            and not _is_right(tickets[order.email], order, reads=number < PDFS_READ)
        ],
    )


def _pdf_of(letter: EmailMessage) -> bytes | None:
    for part in letter.iter_attachments():
        if part.get_content_type() == "application/pdf":
            return bytes(part.get_content())
    return None


def _is_right(letter: EmailMessage, order: Order, *, reads: bool) -> bool:
    """Whether the PDF opens and, if it is read, has the codes of the order's tickets."""
    content = _pdf_of(letter) or b""
    if not content.startswith(b"%PDF"):
        return False
    if not reads:
        return True
    with pypdfium2.PdfDocument(io.BytesIO(content)) as document:
        found = {zxingcpp.read_barcode(page.render(scale=3).to_numpy()).text for page in document}
    return {codes.read(text).number for text in found} == set(
        order.tickets.values_list("number", flat=True)
    )
