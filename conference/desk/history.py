"""Everything that happened to one order, in the order of time."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from conference.desk import words
from conference.models import AuditEntry, Mail, User
from conference.money import format_pounds
from donations.models import Payment, Refund
from tickets.models import Order, Scan

# Parts of a request to Stripe that contain the order's secret link.
_SECRET_PARTS = ("success_url", "cancel_url")


@dataclass(frozen=True)
class Happening:
    """One line of the history. `by` is the member of staff, None for the person or the service."""

    at: datetime
    what: str
    detail: str = ""
    by: User | None = None


@dataclass(frozen=True)
class Asked:
    """A payment, the body of its request to Stripe, and its refunds."""

    payment: Payment
    body: dict[str, Any]
    refunds: list[Refund]


@dataclass(frozen=True)
class History:
    """What is known of an order besides its tickets."""

    happenings: list[Happening]
    payments: list[Asked]
    mails: list[Mail]


def history(order: Order) -> History:
    """The whole history of an order, in five statements however much there is."""
    payments = []
    if order.donation_id is not None:
        payments = list(
            Payment.objects.filter(donation_id=order.donation_id)
            .prefetch_related("refunds")
            .order_by("created_at")
        )
    refunds = {payment.pk: list(payment.refunds.all()) for payment in payments}
    mails = list(
        Mail.objects.filter(about=order.reference)
        .defer("text", "html", "headers")
        .order_by("created_at")
    )
    happenings = [
        *_audited(order, payments, refunds),
        *_paid(payments, refunds),
        *_mailed(mails),
        *_scanned(order),
    ]
    return History(
        sorted(happenings, key=lambda happening: happening.at),
        [Asked(payment, _body(payment), refunds[payment.pk]) for payment in payments],
        mails,
    )


def _audited(
    order: Order, payments: list[Payment], refunds: dict[int, list[Refund]]
) -> list[Happening]:
    about_payments = [f"payment:{payment.pk}" for payment in payments]
    about_refunds = [f"refund:{refund.pk}" for some in refunds.values() for refund in some]
    subjects = [order.reference, *about_payments, *about_refunds]
    return [
        Happening(entry.at, words.verb(entry.verb), words.detail(entry.detail), entry.by)
        for entry in AuditEntry.objects.filter(Q(subject__in=subjects)).select_related("by")
    ]


def _paid(payments: list[Payment], refunds: dict[int, list[Refund]]) -> list[Happening]:
    happenings = []
    for payment in payments:
        amount = format_pounds(payment.amount_pence)
        happenings.append(Happening(payment.created_at, _("Payment begun"), amount))
        if payment.returned_at:
            happenings.append(Happening(payment.returned_at, _("Came back from Stripe's page")))
        if payment.paid_at:
            happenings.append(Happening(payment.paid_at, _("Payment arrived"), amount))
        happenings += [
            Happening(
                refund.created_at,
                _("Refund begun"),
                f"{format_pounds(refund.amount_pence)}, {refund.get_reason_display()}",
            )
            for refund in refunds[payment.pk]
        ]
    return happenings


def _mailed(mails: list[Mail]) -> list[Happening]:
    happenings = []
    for mail in mails:
        happenings.append(Happening(mail.created_at, _("Mail written"), mail.subject))
        if mail.sent_at:
            happenings.append(Happening(mail.sent_at, _("Mail sent"), mail.subject))
    return happenings


def _scanned(order: Order) -> list[Happening]:
    scans = Scan.objects.filter(ticket__order=order).select_related("gate", "by", "ticket")
    happenings = []
    for scan in scans:
        seen = _("ticket %(reference)s at %(gate)s") % {
            "reference": scan.ticket.reference if scan.ticket else "",
            "gate": scan.gate.name,
        }
        what = _("Door: %(outcome)s") % {"outcome": scan.get_outcome_display()}
        happenings.append(Happening(scan.at, what, seen, scan.by))
    return happenings


def _body(payment: Payment) -> dict[str, Any]:
    """The body of the request to Stripe, without the order's secret link."""
    return {
        name: value for name, value in payment.request_body.items() if name not in _SECRET_PARTS
    }
