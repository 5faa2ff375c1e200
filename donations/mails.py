"""The mails about money, one function a mail."""

from datetime import datetime

from conference import mail
from donations.models import Donation, Payment


def paid_twice(*, donation: Donation, payment: Payment, now: datetime) -> None:
    """Mail the giver that this second `payment` of their donation is being refunded."""
    mail.write(
        key=f"paid twice:{payment.pk}",
        about=payment.request_body["metadata"]["reference"],
        to=donation.email,
        template="donations/emails/paid_twice",
        context={
            "amount_pence": payment.amount_pence,
            "organisation": donation.conference.organisation,
        },
        now=now,
    )
