"""Every address as every kind of person by every method: who gets in, and what others are told."""

import logging
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone
from pytest_django.fixtures import Settings

from conference.health import beat
from conference.models import Conference, Organisation, User
from sandbox.server import Sandbox
from signup.models import Edition
from tests.addresses import make_addresses, names_of
from tests.factories import make_user
from tickets.models import Order

pytestmark = pytest.mark.django_db

# Whoever may enter sends these two; whoever may not, and the superuser, sends them all.
USUAL = ("GET", "POST")
METHODS = ("HEAD", "OPTIONS", "TRACE", "PUT", "PATCH", "DELETE", *USUAL)

NOBODY = {"nobody", "deactivated", "sample outside a trial", "volunteer of yesterday"}
SETTINGS = {"organiser of the settings", "superuser"}
ORGANISERS = {"organiser"} | SETTINGS
STAFF = {"volunteer"} | ORGANISERS

# Who may enter: by an address's name, or else by the space that it is in.
MAY_ENTER: dict[str, set[str]] = {
    "stripe_webhook": NOBODY | STAFF,
    "conference": NOBODY | STAFF,
    "signup": NOBODY | STAFF,
    "tickets": NOBODY | STAFF,
    "conference:after_login": STAFF,
    "conference:password": STAFF,
    "door": STAFF,
    "door:search": ORGANISERS,
    "desk": ORGANISERS,
    "admin": SETTINGS,
    "admin:login": NOBODY | STAFF,  # leads to the site's own
    # What nobody may: there is one organisation, and people are deactivated instead.
    "admin:conference_organisation_add": set(),
    "admin:conference_organisation_delete": set(),
    "admin:conference_user_delete": set(),
    "admin:autocomplete": set(),  # no field of ours asks for it
}
# Asked by a page's script, which has no use for a page that asks to log in.
ASKED_BY_SCRIPTS = {"door:scan", "door:undo", "door:counts"}


@pytest.fixture(autouse=True)
def without_a_log() -> Iterator[None]:
    """Thousands of refusals would fill the report of one failure."""
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def addresses(stripe: Sandbox) -> dict[str, str]:
    """An address for every name, those of the settings among them."""
    beat("worker", now=timezone.now())
    beat("sweep", now=timezone.now())
    return {
        **make_addresses(),
        "conference:healthz": "/healthz",
        "conference:readyz": "/readyz",
        "stripe_webhook": "/stripe/webhook/",
        **of_settings(),
    }


def of_settings() -> dict[str, str]:
    rows = {
        "conference_conference": Conference.objects.all()[0].pk,
        "conference_organisation": Organisation.objects.get().pk,
        "conference_user": make_user("volunteer").pk,
        "signup_edition": Edition.objects.get().pk,
    }
    found = {f"admin:{page}": () for page in ("index", "login", "logout", "jsi18n")}
    found |= {f"admin:{page}": () for page in ("password_change", "password_change_done")}
    found |= {
        "admin:autocomplete": (),
        "admin:view_on_site": (1, 1),
        "admin:app_list": ("conference",),
        "admin:auth_user_password_change": (rows["conference_user"],),
    }
    for model, pk in rows.items():
        found |= {f"admin:{model}_{page}": () for page in ("changelist", "add")}
        found |= {f"admin:{model}_{page}": (pk,) for page in ("change", "history", "delete")}
    return {name: reverse(name, args=args) for name, args in found.items()}


def person(who: str) -> Client:
    """A browser in which somebody of this kind has logged in."""
    client = Client(raise_request_exception=False)
    if who == "nobody":
        return client
    role = "volunteer" if who.startswith("volunteer") else "organiser"
    user = make_user(
        role,
        first_name="Zora",
        may_configure=who not in ("volunteer", "organiser"),
        is_superuser=who == "superuser",
        is_sample=who == "sample outside a trial",
    )
    client.force_login(user)
    if who == "deactivated":
        User.objects.filter(pk=user.pk).update(is_active=False)
    if who == "volunteer of yesterday":
        Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    return client


def kind_of_refusal(name: str, response: HttpResponse) -> str:
    """How somebody was kept out, or '' for whoever is in."""
    if response.status_code == 302:
        to = response["Location"].partition("?")[0]
        # Django's own log-out leads to the first page of the settings, and that to the log-in.
        asked = to in ("/login/", "/admin/login/") or (name, to) == ("admin:logout", "/admin/")
        return "log in" if asked and name != "admin:login" else ""
    return {401: "log in", 403: "not open to you"}.get(response.status_code, "")


def test_every_address_has_a_rule_and_is_walked(addresses: dict[str, str]) -> None:
    names = set(names_of(get_resolver().url_patterns))
    assert addresses.keys() == names
    assert {name for name in names if rule(name) is None} == set()
    assert MAY_ENTER.keys() - names == {"conference", "signup", "tickets", "door", "desk", "admin"}


def rule(name: str) -> set[str] | None:
    return MAY_ENTER.get(name, MAY_ENTER.get(name.partition(":")[0]))


@pytest.mark.parametrize("who", sorted(NOBODY | STAFF))
def test_everybody_gets_where_they_may_and_nowhere_else(
    addresses: dict[str, str], settings: Settings, who: str
) -> None:
    person_of_site = person(who)
    settings.TRIAL = who != "sample outside a trial"
    secret = Order.objects.values_list("secret", flat=True)[0]
    told = {"Ada", "Grace", "Zora", "ada@example.org", secret}
    wrong = []
    # Logging out comes last: whoever is logged out is nobody.
    for name in sorted(addresses, key=lambda name: (name.endswith("logout"), name)):
        may = who in rule(name)  # type: ignore[operator]
        for method in USUAL if may and who != "superuser" else METHODS:
            response = person_of_site.generic(method, addresses[name])
            refused = kind_of_refusal(name, response)
            body = b"".join(response)
            # Which methods there are is told to all alike, before anybody asks who it is.
            tells_methods = response.status_code == 405 or (method == "OPTIONS" and not body)
            refused = "" if tells_methods else refused
            expected = "" if may or tells_methods else how(who)
            leaks = [] if may else [word for word in told if says(body, word)]
            if refused != expected or response.status_code >= 500 or leaks:
                wrong.append((method, name, response.status_code, refused, expected, leaks))
    assert wrong == []


def says(body: bytes, word: str) -> bool:
    """Whether a page has this word. As a part of a random token it means nothing."""
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", body.decode(errors="replace")) is not None


def how(who: str) -> str:
    """How somebody who may not enter is kept out: asked who they are, or told that it is not so."""
    return "log in" if who in NOBODY else "not open to you"


def test_no_address_but_of_djangos_admin_is_without_a_name() -> None:
    assert set(unnamed_of(get_resolver().url_patterns)) == {"<path:object_id>/", "(?P<url>.*)$"}


def unnamed_of(patterns: list[URLPattern | URLResolver]) -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from unnamed_of(pattern.url_patterns)
        elif not pattern.name:
            yield str(pattern.pattern)
