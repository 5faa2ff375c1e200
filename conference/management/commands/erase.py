"""`manage.py erase ADDRESS` or `erase CODE`: erase a person's data at their request."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from conference import codes
from conference.fields import normal_address
from conference.models import User
from tickets import actions

_STAYS_HERE = """\
Erased: names and addresses. Orders: %(orders)d, tickets: %(tickets)d, donations: %(donations)d,
copies of mails: %(mails)d. Gone too: their PDFs, waiting work, the Bulletin, searches at the desk.
Stays here: tickets, sums and times without a name; and a keyed hash of the address, so that the
Bulletin never goes there again.
"""
_STAYS_AT_STRIPE = """\
Stays at Stripe: the payer's e-mail address, and the card as far as Stripe keeps it. To remove it
there too, run one of Stripe's redaction jobs: docs.stripe.com/privacy/deletion-requests.
The payment's numbers are on the order's page at the desk.
"""
_HAS_AN_ACCOUNT = """\
There is also a staff account with this address. Deactivate it in the settings; the
privacy page says when it goes.
"""
_ONE_TICKET = """\
Erased: the name and address on ticket %(ticket)s. Gone too: the PDFs and copies of mails of order
%(order)s, and searches at the desk.
Stays here: the ticket without a name, and the booking of whoever made it. If that is the same
person, or they have an address of their own here, erase the address as well.
"""
_ELSEWHERE = """\
Out of reach: backups, until they are overwritten; mails that were delivered; tickets that were
printed; files that were exported.
"""


class Command(BaseCommand):
    help = "Take a person's names and address out of everything that is kept."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "whom",
            help="The e-mail address they used; or the short code of one ticket, to erase the "
            "person whom somebody else booked it for.",
        )

    def handle(self, *args: Any, whom: str, **options: Any) -> None:
        try:
            said = _erase_person(whom) if "@" in whom else _erase_attendee(whom)
        except actions.Nobody as error:
            said = f"Nobody here has {whom}. Nothing was changed."
            if _has_account(whom):
                said = f"Nobody has booked, given or signed up as {whom}.\n{_HAS_AN_ACCOUNT}"
            raise CommandError(said) from error
        except actions.StillToCome as error:
            raise CommandError(
                "This person has a place at a conference that is not over. Cancel it first."
            ) from error
        except actions.NotSettled as error:
            raise CommandError(
                "A payment or refund of this person is not settled. The desk says what to do; "
                "erase them after that."
            ) from error
        self.stdout.write(said)


def _erase_person(email: str) -> str:
    erased = actions.erase_person(email=email, now=timezone.now())
    said = _STAYS_HERE % {
        "orders": erased.orders,
        "tickets": erased.tickets,
        "donations": erased.donations,
        "mails": erased.mails,
    }
    if erased.donations:
        said += _STAYS_AT_STRIPE
    if _has_account(email):
        said += _HAS_AN_ACCOUNT
    return said + _ELSEWHERE


def _has_account(email: str) -> bool:
    return User.objects.filter(email=normal_address(email)).exists()


def _erase_attendee(text: str) -> str:
    try:
        code = codes.normalise_short(text)
    except codes.NotATicket as error:
        raise CommandError(
            "Give an e-mail address, or the short code of a ticket, such as 4XKM-7Q2P."
        ) from error
    ticket = actions.erase_attendee(code=code, now=timezone.now())
    return _ONE_TICKET % {"ticket": ticket.reference, "order": ticket.order.reference} + _ELSEWHERE
