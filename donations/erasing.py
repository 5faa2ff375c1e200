"""Removing a giver's name and address from what is kept about their donation."""

from donations.models import Donation


def erase_giver(*, donation: Donation, name: str, email: str) -> None:
    """Replace the giver's name and address by `name` and `email`; amounts, times and ids stay.

    Call it inside the transaction that erases the rest.
    """
    donation.name, donation.email = name, email
    donation.save(update_fields=["name", "email"])
    for payment in donation.payments.all():
        payment.request_body["customer_email"] = email
        payment.save(update_fields=["request_body"])
