"""The audit log in plain words, and the signs of states."""

from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from conference.money import format_pounds

# What was done, by the verb that the audit log records. A verb not listed is shown as it is.
VERBS: dict[str, str | Promise] = {
    "reserved": gettext_lazy("Reserved"),
    "gift changed": gettext_lazy("Promised gift changed"),
    "taken without a gift": gettext_lazy("Taken without a donation"),
    "confirmed": gettext_lazy("Confirmed"),
    "confirmed late": gettext_lazy("Confirmed, paid after the places were released"),
    "gift goes back": gettext_lazy("Donation goes back, the places were gone"),
    "places let go": gettext_lazy("Places released, nothing was paid in time"),
    "reserved again": gettext_lazy("Reserved again"),
    "name corrected": gettext_lazy("Name corrected"),
    "address corrected": gettext_lazy("E-mail address corrected, link renewed"),
    "person erased": gettext_lazy("Names and address erased"),
    "attendee erased": gettext_lazy("Name on one ticket erased"),
    "names erased": gettext_lazy("Names and addresses erased, because the conference was long ago"),
    "scans deleted": gettext_lazy("Scans deleted, because the conference was long ago"),
    "place cancelled": gettext_lazy("Place cancelled"),
    "order cancelled": gettext_lazy("Order cancelled"),
    "code replaced": gettext_lazy("Ticket's code replaced"),
    "tickets sent again": gettext_lazy("Tickets sent again"),
    "mail tried again": gettext_lazy("Failed mail tried again"),
    "entry undone": gettext_lazy("Entry taken back"),
    "payment parked": gettext_lazy("Payment needs a look"),
    "payment closed by hand": gettext_lazy("Payment closed by hand"),
    "event dealt with": gettext_lazy("Stripe's message dealt with"),
    "refund failed": gettext_lazy("Refund failed"),
    "refund refused": gettext_lazy("Refund refused by Stripe"),
    "bank took it back": gettext_lazy("Taken back by the giver's bank"),
    "refund tried again": gettext_lazy("Refund tried again"),
    "refund paid back otherwise": gettext_lazy("Refund paid back by other means"),
    "backup restored": gettext_lazy("A backup was restored, waiting mails held back"),
    "waiting mails sent": gettext_lazy("Held-back e-mails sent"),
    "waiting mails dropped": gettext_lazy("Held-back e-mails discarded"),
    "clock called right": gettext_lazy("Clock confirmed after a jump"),
    "orders exported": gettext_lazy("List of orders exported"),
    "attendees exported": gettext_lazy("List of attendees exported"),
    "password changed": gettext_lazy("Password changed"),
    "setting added": gettext_lazy("Setting added"),
    "setting changed": gettext_lazy("Setting changed"),
    "setting removed": gettext_lazy("Setting removed"),
}

# The details that are recorded with a verb, by their names.
DETAILS: dict[str, str | Promise] = {
    "changed": gettext_lazy("changed"),
    "chosen_by": gettext_lazy("chosen by"),
    "file": gettext_lazy("file"),
    "private_kinds": gettext_lazy("with private kinds of ticket"),
    "orders": gettext_lazy("orders"),
    "donations": gettext_lazy("donations"),
    "problem": gettext_lazy("problem"),
    "type": gettext_lazy("type"),
}

# States whose usual words speak to the ticket's holder ('Kept for you').
STATES: dict[str, str | Promise] = {
    "held": gettext_lazy("Kept, not paid yet"),
}

# The sign beside a state's word (templates/components/status_word.html).
KINDS = {
    "reserved": "wait",
    "held": "wait",
    "confirmed": "good",
    "valid": "good",
    "cancelled": "danger",
    "expired": "",
    "released": "",
    "queued": "wait",
    "sending": "wait",
    "sent": "good",
    "failed": "danger",
    "withheld": "wait",
    "begun": "wait",
    "open": "wait",
    "pending": "wait",
    "processing": "wait",
    "paid": "good",
    "received": "good",
    "succeeded": "good",
    "refunded": "",
    "pledged": "wait",
    "withdrawn": "",
    "closed": "",
    "parked": "caution",
}


def verb(written: str) -> str:
    """What was done, in words."""
    return str(VERBS.get(written, written))


def detail(written: dict[str, Any]) -> str:
    """The details recorded with a verb, in words: 'ticket ABCD-EFGH, £15'."""
    return ", ".join(_detail(name, value) for name, value in written.items() if value)


def _detail(name: str, value: Any) -> str:
    if name.endswith("_pence") and isinstance(value, int):
        return format_pounds(value)
    if name == "ticket":
        return _("ticket %(reference)s") % {"reference": value}
    if name == "places":
        return _("places: %(number)s") % {"number": value}
    if isinstance(value, list):
        value = ", ".join(str(part) for part in value)
    if value is True:
        return str(DETAILS.get(name, name))
    return f"{DETAILS.get(name, name.replace('_', ' '))}: {value}"
