"""Somebody posts to the webhook: without Stripe's secret, or (it has leaked) with it, anything.

Without it nothing is even read. With it nothing is believed: an event only says what to ask Stripe
about, so the worst is a question. No answer and no line of the log repeats what was sent.
"""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from conference.models import Mail
from donations.models import Donation, StripeEvent
from sandbox import events
from sandbox.server import Sandbox
from tests.payments import open_payment
from tests.webhooks import an_event, post, post_signed
from tickets.models import Order

pytestmark = pytest.mark.django_db

Work = Callable[[], int]
SECRET = "whsec_local"
# In every hostile event, and so in no answer and no line of the log.
MARK = "markofthebeast"
ADDRESS = "/stripe/webhook/"
THANKS, NOT_SIGNED, TOO_LARGE = (200, b"Thank you"), (400, b"Not signed"), (413, b"Too large")


def event(**changes: Any) -> bytes:
    """A hostile event of a kind that matters, with changes."""
    about = {"id": f"cs_{MARK}", "object": "checkout.session"}
    kind = "checkout.session.completed"
    return json.dumps(an_event(**{"type": kind, "data": {"object": about}, **changes})).encode()


def without(field: str) -> bytes:
    return json.dumps({k: v for k, v in json.loads(event()).items() if k != field}).encode()


def nested(opening: bytes, closing: bytes, depth: int) -> bytes:
    return opening * depth + MARK.encode().join((b'"', b'"')) + closing * depth


# What can stand where a text, a number or an object is meant.
WRONG = {
    "nothing": None,
    "a number": 7,
    "a huge number": 10**400,
    "a fraction": 0.5,
    "not a number": float("nan"),
    "infinity": float("inf"),
    "yes": True,
    "a list": [MARK],
    "an object": {MARK: MARK},
    "an empty text": "",
    "a zero byte": f"{MARK}\0",
    "half a letter": f"{MARK}\ud800",
    "another script": "ключ",
    "a path": f"../../{MARK}",
    "markup": f"\"'><script>{MARK}</script>",
    "a line break": f"{MARK}\r\nSet-Cookie: a=b",
    "a formula of SQL": f"'; DROP TABLE donations_payment; -- {MARK}",
    "a long text": MARK * 1000,
}
NO_EVENTS = {
    "nothing": b"",
    "a zero byte": b"\0",
    "no JSON": MARK.encode(),
    "half an event": event()[:-20],
    "no UTF-8": b'{"id": "\xff\xfe"}',
    "UTF-16": event().decode().encode("utf-16"),
    **{f"alone {name}": json.dumps(value).encode() for name, value in WRONG.items()},
    "a number of 5,000 digits": b"9" * 5000,
    "a fraction without end": b"0." + b"9" * 5000,
    "20,000 lists": nested(b"[", b"]", 20_000),
    "20,000 objects": nested(b'{"a":', b"}", 20_000),
    "20,000 lists in an event": event(data="HERE").replace(b'"HERE"', nested(b"[", b"]", 20_000)),
    "lists that never end": b"[" * 100_000,
    "two events": event() + event(),
    "a list of events": b"[" + event() + b"]",
    "an event of the newer kind": event(object="v2.core.event"),
    **{f"{f} missing": without(f) for f in ("id", "object", "type", "livemode", "data")},
    **{
        f"{field} is {name}": event(**{field: value})
        for field in ("id", "object", "type", "data")
        for name, value in WRONG.items()
    },
    **{
        f"livemode is {name}": event(livemode=value)
        for name, value in WRONG.items()
        if not isinstance(value, bool)
    },
    "livemode is a word": event(livemode="false"),
}
# What about the event's object, and everything else in it, may be as it likes.
EVENTS = {
    "without the rest": json.dumps(
        {
            k: v
            for k, v in json.loads(event()).items()
            if k in ("id", "object", "type", "livemode", "data")
        }
    ).encode(),
    **{
        f"{field} is {name}": event(**{field: value})
        for field in ("api_version", "created", "request", "pending_webhooks", "account")
        for name, value in WRONG.items()
    },
    **{f"the object is {name}": event(data={"object": value}) for name, value in WRONG.items()},
    **{
        f"the object's {field} is {name}": event(
            data={"object": {"id": f"cs_{MARK}", "object": "checkout.session", field: value}}
        )
        for field in ("id", "object", "payment_intent", "metadata", "livemode")
        for name, value in WRONG.items()
    },
    "the same twice": event()[:-1] + b"," + event()[1:],
    "after a byte order mark": b"\xef\xbb\xbf" + event(),
    "another version": event(api_version="1999-01-01"),
    "unknown": event(type=f"{MARK}.happened"),
}


def answered(response: HttpResponse) -> tuple[int, bytes]:
    return response.status_code, response.content


def nothing_happened() -> bool:
    """Neither a booking nor money nor mail."""
    return not (Order.objects.exists() or Donation.objects.exists() or Mail.objects.exists())


def test_signed_nonsense_is_no_event(caplog: pytest.LogCaptureFixture) -> None:
    answers = {name: answered(post_signed(body)) for name, body in NO_EVENTS.items()}
    assert {name: said for name, said in answers.items() if said != NOT_SIGNED} == {}
    assert not StripeEvent.objects.exists()
    assert nothing_happened()
    assert MARK not in caplog.text


def test_signed_event_of_an_odd_shape_is_taken_and_does_nothing(
    stripe: Sandbox, work: Work, caplog: pytest.LogCaptureFixture, client: Client
) -> None:
    answers = {}
    for number, (name, body) in enumerate(EVENTS.items()):
        numbered = body.replace(b'"evt_1"', f'"evt_{number}"'.encode())
        answers[name] = answered(post_signed(numbered))
    assert {name: said for name, said in answers.items() if said != THANKS} == {}
    assert StripeEvent.objects.count() == len(EVENTS)
    work()
    assert not StripeEvent.objects.filter(outcome=StripeEvent.Outcome.WAITING).exists()
    assert nothing_happened()
    assert MARK not in caplog.text


def test_signed_lies_about_a_booking_only_make_us_ask(stripe: Sandbox, work: Work) -> None:
    payment = open_payment()
    about = {
        "id": payment.session_id,
        "object": "checkout.session",
        "status": "complete",
        "payment_status": "paid",
        "amount_total": 1500,
        "payment_intent": f"pi_{MARK}",
        "client_reference_id": Order.objects.get().reference,
    }
    for number, kind in enumerate(("completed", "async_payment_succeeded", "expired")):
        body = event(id=f"evt_{number}", type=f"checkout.session.{kind}", data={"object": about})
        assert answered(post_signed(body)) == THANKS
    refund = {"id": "re_1", "object": "refund", "payment_intent": f"pi_{MARK}", "amount": 1}
    post_signed(event(id="evt_refund", type="refund.created", data={"object": refund}))
    work()
    payment.refresh_from_db()
    assert (payment.status, Order.objects.get().status) == ("open", Order.Status.RESERVED)
    assert not Mail.objects.exists()


def test_event_of_the_other_mode_books_nothing(stripe: Sandbox, work: Work) -> None:
    payment = open_payment()
    stripe.pay(str(payment.session_id))
    assert answered(post_signed(stripe.events[-1] | {"livemode": True})) == THANKS
    work()
    assert Order.objects.get().status == Order.Status.RESERVED


def test_wrong_signature_opens_nothing(caplog: pytest.LogCaptureFixture) -> None:
    body, now = event(), int(time.time())
    good = events.signature(body, SECRET, now)
    stamp, _, digest = good.partition(",v1=")
    signatures = {
        "none": None,
        "empty": "",
        "ten minutes old": events.signature(body, SECRET, now - 600),
        "of 1970": events.signature(body, SECRET, 0),
        "another secret": events.signature(body, "whsec_other", now),
        "the empty secret": events.signature(body, "", now),
        "another body": events.signature(body + b" ", SECRET, now),
        "tomorrow's stamp on today's": f"t={now + 86400},v1={digest}",
        "the test scheme alone": f"{stamp},v0={digest}",
        "an unknown scheme": f"{stamp},v2={digest}",
        "without its scheme": f"{stamp},{digest}",
        "without a time": f"v1={digest}",
        "time in words": f"t=now,v1={digest}",
        "time with a fraction": f"t={now}.5,v1={digest}",
        "time of 5,000 digits": f"t={'9' * 5000},v1={digest}",
        "time in other digits": f"t={''.join(chr(0x660 + int(d)) for d in str(now))},v1={digest}",
        "cut short": good[:-1],
        "all equals signs": "=" * 100,
        "all commas": "," * 100,
        "an accent in it": f"{stamp},v1=é{digest[1:]}",
        "a kilobyte a hundred times": f"{stamp},v1={MARK * 7000}",
        "5,000 wrong ones": stamp + ",v1=00" * 5000,
    }
    answers = {name: answered(post(body, signature)) for name, signature in signatures.items()}
    assert {name: said for name, said in answers.items() if said != NOT_SIGNED} == {}
    assert not StripeEvent.objects.exists()
    assert MARK not in caplog.text
    # Stripe signs with two secrets while one replaces the other.
    both = f"{events.signature(body, 'whsec_other', now)},v1={digest}"
    assert answered(post(body, both)) == THANKS


def test_way_of_sending_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    body = event()
    signature = {"Stripe-Signature": events.signature(body, SECRET, int(time.time()))}
    client = Client(enforce_csrf_checks=True, headers=signature)
    kind = "application/json"

    def sent(body: bytes = body, kind: str = kind, **more: Any) -> tuple[int, bytes]:
        return answered(client.generic("POST", ADDRESS, body, kind, **more))

    answers = {
        "as a form": sent(kind="application/x-www-form-urlencoded"),
        "as a form with files": sent(b"--x--\r\n", "multipart/form-data; boundary=x"),
        "as files that never end": sent(b"--x\r\n" + body, "multipart/form-data; boundary=x"),
        "in a charset that is none": sent(kind=f"{kind}; charset={MARK}"),
        "as a form in a charset that is none": sent(
            kind=f"application/x-www-form-urlencoded; charset={MARK}"
        ),
        "of a type that is none": sent(kind=MARK),
        "said to be packed": sent(HTTP_CONTENT_ENCODING="gzip"),
        "without a length": sent(CONTENT_LENGTH=""),
        "of a negative length": sent(CONTENT_LENGTH="-1"),
        "of a length in words": sent(CONTENT_LENGTH="many"),
        "shorter than it is": sent(CONTENT_LENGTH="20"),
        "of ten megabytes": sent(body + b" " * 10_000_000),
    }
    assert answers == {
        "as a form": THANKS,
        "as a form with files": NOT_SIGNED,
        "as files that never end": NOT_SIGNED,
        "in a charset that is none": THANKS,
        "as a form in a charset that is none": THANKS,
        "of a type that is none": THANKS,
        "said to be packed": THANKS,
        "without a length": NOT_SIGNED,
        "of a negative length": TOO_LARGE,
        "of a length in words": TOO_LARGE,
        "shorter than it is": NOT_SIGNED,
        "of ten megabytes": TOO_LARGE,
    }
    # Refused with our own page before anybody looks where it was sent.
    assert sent(kind="multipart/form-data")[0] == 400
    others = {
        method: client.generic(method, ADDRESS, body, kind).status_code
        for method in ("GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW")
    }
    assert set(others.values()) == {405}
    assert StripeEvent.objects.count() == 1
    assert MARK not in caplog.text
