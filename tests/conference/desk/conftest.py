"""An organiser at the desk, and what they look at."""

import pytest
from django.test import Client

from conference.models import Conference, User
from donations.models import Payment
from donations.settlement import settle
from sandbox.server import Sandbox
from tests.factories import make_conference, make_order
from tickets import actions
from tickets.models import Order


@pytest.fixture
def conference(db: None) -> Conference:
    """A conference with two kinds of tickets."""
    return make_conference(types={"Professional": 50, "Online": 20}, slug="2027")


@pytest.fixture
def desk(client: Client, organiser: User) -> Client:
    """A browser in which Olive is logged in."""
    client.force_login(organiser)
    client.get("/desk/audit/")  # which notes in the session when the desk was used
    return client


@pytest.fixture
def paid_order(conference: Conference, stripe: Sandbox) -> Order:
    """An order with a gift of £15 that was paid."""
    order = make_order(conference, names=("Ada Lovelace", "Charles Babbage"), gift_pence=1500)
    pay(order, stripe)
    order.refresh_from_db()
    return order


def pay(order: Order, stripe: Sandbox) -> Payment:
    """Pay an order's gift on Stripe's page."""
    now = order.created_at
    payment = actions.start_payment(order=order, now=now)
    stripe.pay(str(payment.session_id))
    settled = settle(str(payment.session_id), now=now)
    assert settled is not None
    return settled
