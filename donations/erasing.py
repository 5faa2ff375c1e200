"""Taking a giver's name and address out of what is kept about their gift."""

from donations.models import Donation


def erase_giver(*, donation: Donation, name: str, email: str) -> None:
    """Put `name` and `email` in place of the giver's; sums, times and Stripe's ids stay.

    Called inside the transaction that erases the rest.
    """
    donation.name, donation.email = name, email
    donation.save(update_fields=["name", "email"])
    for payment in donation.payments.all():
        payment.request_body["customer_email"] = email
        payment.save(update_fields=["request_body"])
