"""Taking a giver's name and address out of what is kept about their gift."""

from django.db.models import Q

from donations.models import Donation, StripeEvent


def erase_giver(*, donation: Donation, name: str, email: str) -> None:
    """Put `name` and `email` in place of the giver's; sums, times and Stripe's ids stay.

    Called inside the transaction that erases the rest.
    """
    donation.name, donation.email = name, email
    donation.save(update_fields=["name", "email"])
    about_it = Q()
    for payment in donation.payments.all():
        payment.request_body["customer_email"] = email
        payment.save(update_fields=["request_body"])
        for stripe_id in filter(None, (payment.session_id, payment.payment_intent_id)):
            about_it |= Q(body__contains=stripe_id)
    if about_it:
        StripeEvent.objects.filter(about_it).update(body="{}")
