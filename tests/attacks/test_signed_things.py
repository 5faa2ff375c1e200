"""Somebody alters, swaps, keeps or makes up what we signed: links, forms, cookies.

Each is good for its one purpose and for its own time, by a key of this site; whatever else comes is
answered as any stranger is, and after its use it does nothing more.
"""

import base64
import json
from datetime import timedelta
from functools import cache

import pytest
from django.conf import settings as ours
from django.contrib.sessions.models import Session
from django.core import signing
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from signup import links
from signup.forms import LATEST
from signup.models import PENDING_FOR, Subscriber
from tests.factories import make_order, make_subscriber, make_user
from tests.html import heading, path_of, summary
from tests.queue import run_queue
from tickets.models import Order

pytestmark = pytest.mark.django_db

STORE = "django.contrib.sessions.SessionStore"  # what Django signs sessions for


def altered(token: str) -> list[str]:
    """The token with a character changed here and there, cut, doubled, and other nonsense."""
    value, time, _ = token.split(":") if token.count(":") == 2 else (token, "1", "")
    changed = [
        token[:at] + ("B" if token[at] != "B" else "C") + token[at + 1 :]
        for at in range(0, len(token), 11)
    ]
    changed += [token[:-1], token[1:], token + "A", token + token, token[::-1], token.swapcase()]
    changed += [token.replace(":", "."), token.replace(":", "::"), token.rpartition(":")[0]]
    changed += [":", "::", "a:b:c", ".a:b:c", "é", "\u202e", "null", "x" * 5000, ":" * 5000]
    # A signature of nothing, and what says that it is packed.
    changed += [f"{value}:{time}:", f".{value}:{time}:{'A' * 43}"]
    return [text for text in changed if text != token]


@cache
def stranger() -> Client:
    """Somebody who has never been here; one for all, as each new one reads all static files."""
    return Client()


def confirms(token: str) -> bool:
    """Whether a press of the mail's button with this token confirms Ada."""
    answer = stranger().post(f"/bulletin/confirm/{token}/")
    assert answer.status_code in (200, 404), token
    return Subscriber.objects.get().status == Subscriber.Status.CONFIRMED


def token_of(url: str) -> str:
    return path_of(url).split("/")[-2]


def test_altered_link_confirms_and_unsubscribes_nobody() -> None:
    ada = make_subscriber()
    confirm, leave = token_of(links.confirm_url(ada)), token_of(links.unsubscribe_url(ada))
    assert [token for token in altered(confirm) if confirms(token)] == []
    for token in altered(leave):
        assert stranger().post(f"/bulletin/unsubscribe/{token}/").status_code in (200, 404)
    assert Subscriber.objects.get().status == Subscriber.Status.PENDING
    assert confirms(confirm)


def test_link_is_good_for_its_one_purpose() -> None:
    ada = make_subscriber()
    by_others = {
        "to unsubscribe": token_of(links.unsubscribe_url(ada)),
        "of a form": signing.dumps("", salt="signup.form"),
        "without a purpose": signing.dumps(ada.key.hex),
        "of a purpose made up": signing.dumps(ada.key.hex, salt="signup.confirm "),
        "by another key": signing.dumps(ada.key.hex, key="x" * 50, salt="signup.confirm"),
        "about nobody": signing.dumps("0" * 32, salt="signup.confirm"),
        "about a number": signing.dumps(ada.pk, salt="signup.confirm"),
        "about a list": signing.dumps([ada.key.hex], salt="signup.confirm"),
        "about nothing": signing.dumps(None, salt="signup.confirm"),
    }
    assert [what for what, token in by_others.items() if confirms(token)] == []
    stranger().post(f"/bulletin/unsubscribe/{token_of(links.confirm_url(ada))}/")
    assert Subscriber.objects.get().status == Subscriber.Status.PENDING


def test_old_or_used_link_does_nothing_more() -> None:
    ada = make_subscriber()
    confirm, leave = token_of(links.confirm_url(ada)), token_of(links.unsubscribe_url(ada))
    assert confirms(confirm)
    stranger().post(f"/bulletin/unsubscribe/{leave}/")
    # Who has left is not brought back by the old mail.
    assert not confirms(confirm)
    stranger().post(f"/bulletin/unsubscribe/{leave}/")
    assert Subscriber.objects.get().status == Subscriber.Status.UNSUBSCRIBED
    Subscriber.objects.update(status=Subscriber.Status.PENDING)
    signing_time = PENDING_FOR + timedelta(minutes=1)
    with pytest.MonkeyPatch.context() as later:
        later.setattr(
            "django.core.signing.time.time", lambda: _now() + signing_time.total_seconds()
        )
        assert not confirms(confirm)


def _now() -> float:
    return timezone.now().timestamp()


def test_key_that_was_replaced_still_counts_and_one_that_was_dropped_does_not(
    settings: Settings,
) -> None:
    ada = make_subscriber()
    token, old = token_of(links.confirm_url(ada)), ours.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "n" * 50, []
    assert not confirms(token)
    settings.SECRET_KEY_FALLBACKS = [old]
    assert confirms(token)


def test_form_that_we_did_not_make_signs_nobody_up() -> None:
    ada = make_subscriber()
    made_up = {
        "nothing": "",
        "the time alone": str(int(_now())),
        "by another key": signing.dumps("", key="x" * 50, salt="signup.form"),
        "for another purpose": signing.dumps("", salt="signup.confirm"),
        "a link": token_of(links.confirm_url(ada)),
        "too long ago": _dumps_at(_now() - LATEST.total_seconds() - 60),
        "tomorrow": _dumps_at(_now() + 86400),
        **{f"altered {n}": token for n, token in enumerate(altered(_dumps_at(_now() - 60)))},
    }
    for what, made in made_up.items():
        answer = stranger().post("/bulletin/", {"email": "eve@example.org", "made": made})
        assert (answer.status_code, len(summary(answer))) == (200, 1), what
    run_queue()
    assert not Subscriber.objects.filter(email="eve@example.org").exists()


def _dumps_at(time: float) -> str:
    """A form's mark as we would have made it at this time."""
    with pytest.MonkeyPatch.context() as then:
        then.setattr("django.core.signing.time.time", lambda: time)
        return signing.dumps("", salt="signup.form")


def test_orders_secret_is_all_or_nothing() -> None:
    order = make_order()
    other = make_order(gift_pence=500)
    ticket, foreign = order.tickets.get(), other.tickets.get()
    tried = [*altered(order.secret), order.reference, str(order.pk), ticket.reference, ticket.code]
    tried += ["%", "_" * 32, "' OR ''='", str(order.submission), order.secret + "%00", "%2e%2e"]
    for secret in tried:
        for page in ("", "tickets.pdf", "pay/"):
            assert stranger().get(f"/orders/{secret}/{page}").status_code == 404, (secret, page)
        assert stranger().post(f"/orders/{secret}/{ticket.reference}/cancel/").status_code == 404
    # One order's secret opens nothing of another's.
    for reference in (foreign.reference, str(foreign.pk), "..", "%2e%2e"):
        for way in ("cancel/", "name/"):
            answer = stranger().post(
                f"/orders/{order.secret}/{reference}/{way}", {"attendee_name": "Eve"}
            )
            assert answer.status_code in (302, 404)
    foreign.refresh_from_db()
    assert foreign.attendee_name == "Ada Lovelace"
    assert set(Order.objects.values_list("status", flat=True)) == {"confirmed", "reserved"}


def test_session_that_we_did_not_begin_is_nobodys() -> None:
    organiser = make_user("organiser", may_configure=True, is_superuser=True)
    client = Client()
    client.force_login(organiser)
    key = client.cookies["sessionid"].value
    forged = {"_auth_user_id": str(organiser.pk), "_auth_user_backend": "x", "_auth_user_hash": ""}
    packed = base64.b64encode(json.dumps(forged).encode()).decode()
    tried = [*altered(key), packed, str(organiser.pk), "../x", "' OR ''='", "", "a" * 4000]
    tried += [signing.dumps(forged, salt=STORE)]
    for value in filter(str.isascii, tried):
        stranger().cookies.clear()
        stranger().cookies["sessionid"] = value
        answer = stranger().get("/desk/")
        assert (answer.status_code, path_of(answer["Location"])) == (302, "/login/"), value
    assert client.get("/desk/").status_code == 200


def test_session_ends_with_its_log_out_its_password_and_its_key(settings: Settings) -> None:
    organiser = make_user("organiser")
    client, thief = Client(), Client()
    client.force_login(organiser)
    thief.cookies["sessionid"] = client.cookies["sessionid"].value
    assert thief.get("/desk/").status_code == 200
    client.post("/logout/")
    assert thief.get("/desk/").status_code == 302
    # Nobody can choose a number and wait for somebody to log in by it.
    settings.SESSION_COOKIE_AGE = 3600
    client.cookies["sessionid"] = fixed = "f" * 32
    client.force_login(organiser)
    assert client.cookies["sessionid"].value != fixed
    organiser.set_password("another one, and long")
    organiser.save()
    assert client.get("/desk/").status_code == 302
    client.force_login(organiser)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "n" * 50, []
    assert client.get("/desk/").status_code == 302


def test_data_of_a_session_cannot_be_written_by_hand() -> None:
    """Somebody who can write to the table, but does not know the key, logs nobody in."""
    organiser = make_user("organiser")
    data = {"_auth_user_id": str(organiser.pk), "_auth_user_backend": "x"}
    forged = signing.dumps(data, key="x" * 50, salt=STORE, compress=True)
    Session.objects.create(
        session_key="f" * 32, session_data=forged, expire_date=timezone.now() + timedelta(days=1)
    )
    thief = Client()
    thief.cookies["sessionid"] = "f" * 32
    assert thief.get("/desk/").status_code == 302


def test_message_that_we_did_not_write_is_not_shown() -> None:
    """Messages of the site travel in a cookie, so that one could put words into our mouth."""
    words = json.dumps([["__json_message", 0, 25, "Call 0800 EVIL", ""]])
    for cookie in (
        words,
        base64.urlsafe_b64encode(words.encode()).decode(),
        signing.dumps(words, key="x" * 50, salt="django.contrib.messages"),
        signing.Signer(key="x" * 50, salt="django.contrib.messages").sign(words),
        signing.Signer(salt="signup.form").sign(words),
        words + ":" + "A" * 43,
        "x" * 4000,
    ):
        client = Client()
        client.cookies["messages"] = cookie
        answer = client.get("/orders/")
        assert (answer.status_code, heading(answer) != "") == (200, True)
        assert "EVIL" not in answer.content.decode()
