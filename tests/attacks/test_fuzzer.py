"""Somebody lets a program send whatever it likes to every address, as nobody, volunteer, organiser.

Nothing ends in an error page, nothing of the inside or of somebody else is told, and no request
that only asks changes anything. The seed is fixed, and a request that fails is printed whole.
"""

import logging
import random
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import chain
from urllib.parse import quote

import pytest
from django.conf import settings as ours
from django.core.files.base import ContentFile
from django.db import connection, transaction
from django.http import HttpResponseBase
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, get_resolver
from pytest_django.fixtures import Settings

from conference.models import Mail, MailAttachment
from sandbox.server import Sandbox
from signup import links
from signup.models import Edition
from tests.factories import make_conference, make_gate, make_order, make_subscriber, make_user
from tests.queue import run_queue
from tests.tickets.door.phones import scan
from tickets.models import Order

pytestmark = pytest.mark.django_db

SEED = 8
REQUESTS = 3_000
SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")
METHODS = (*SAFE, "GET", "GET", *["POST"] * 6, "PUT", "PATCH", "DELETE", "BREW")
# Written by requests that only ask: sessions, counts of limits, a PDF that was asked for, and the
# note that somebody has come back from Stripe.
MAY_WRITE = ("django_session", "conference_allowance", "tickets_document", "django_tasks")
MAY_WRITE += ("donations_payment",)
WRITES = re.compile(r'\s*(?:INSERT INTO|UPDATE|DELETE FROM)\s+"?(\w+)')
# Somebody whose order no address here leads to: for organisers alone.
STRANGER, STRANGERS_ADDRESS = "Ottoline Secretive", "ottoline@private.example"
INSIDE = ("Traceback (most recent", "SECRET_KEY", "DATABASES", 'SELECT "', "INSERT INTO", "md5$")

FIELDS = """
    email name gift other_amount bulletin submission add remove attendee_name attendee_email words
    status ticket_type entry search q code id form undo username password next first_name last_name
    made left_blank source List-Unsubscribe number title published_on role slug confirm_large post
    action csrfmiddlewaretoken page conference by form-TOTAL_FORMS form-INITIAL_FORMS
    form-0-attendee_name form-0-ticket_type form-0-attendee_email form-99-attendee_name e p o all
    _popup _to_field pdf picture starts_at_0 gift_presets ticket_types-TOTAL_FORMS password1
""".split()
# As they stand in an address or a form: some are no text at all.
VALUES = ["", "0", "1", "2", "-1", "on", "none", "any", "ada%40example.org", "2026-02-30", "NaN"]
VALUES += [
    "%00",
    "a%00b",
    "%ff%fe",
    "%ED%A0%80",
    "%EF%BF%BE",
    "%F4%8F%BF%BF",
    "%",
    "%zz",
    "%2e%2e%2f",
]
VALUES += ["1e999", "9" * 30, "9" * 5000, "-" * 50, "1_0", "%D9%A3", "%0d%0aSet-Cookie:%20a=b"]
VALUES += ["%27%20OR%201=1--", "%22%3E%3Cscript%3E", "%7B%7B%20x%20%7D%7D", "[]", "%7B%22a%22:1%7D"]
VALUES += [
    quote("﷽" * 60),
    quote("a\u0301" * 300),
    "x" * 3000,
    "javascript:alert(1)",
    "//evil.example",
]
KINDS = ("application/x-www-form-urlencoded",) * 4 + (
    "multipart/form-data; boundary=x",
    "multipart/form-data",
    "multipart/form-data; boundary=" + "y" * 100,
    "application/json",
    "application/x-www-form-urlencoded; charset=utf-16",
    "application/x-www-form-urlencoded; charset=nonsense",
    "text/plain",
    "",
    "é/\0",
)
HEADERS = {
    "HTTP_HOST": ("testserver", "evil.example", "127.0.0.1:99999", "", "a b", "[::1", "é"),
    "HTTP_ACCEPT": ("application/json", "*/*;q=é", "," * 500),
    "HTTP_ACCEPT_LANGUAGE": ("cy", "x" * 600, "en;q=9", "../../etc"),
    "HTTP_ACCEPT_ENCODING": ("gzip", "nonsense", ""),
    "HTTP_COOKIE": ("sessionid=x", "csrftoken=\0", "messages=x:y:z", "=;=;", "a" * 5000),
    "HTTP_IF_MODIFIED_SINCE": ("yesterday", "Sat, 31 Feb 2026 99:00:00 GMT", "9" * 400),
    "HTTP_IF_NONE_MATCH": ("*", '"x', "W/"),
    "HTTP_RANGE": ("bytes=0-", "bytes=9-1", "lines=1"),
    "HTTP_REFERER": ("http://evil.example/", "\0", "//"),
    "HTTP_ORIGIN": ("null", "http://evil.example", "é"),
    "HTTP_X_FORWARDED_FOR": ("1.2.3.4", "x, y", "::1", "," * 500),
    "HTTP_X_REQUESTED_WITH": ("XMLHttpRequest",),
    "HTTP_X_HTTP_METHOD_OVERRIDE": ("DELETE",),
    "HTTP_STRIPE_SIGNATURE": ("t=1,v1=00", "é", "t=,v1="),
    "REMOTE_ADDR": ("", "unix:", "::ffff:1.2.3.4", "fe80::1%eth0"),
    # Others than numbers, and more than what comes, never get past the web server.
    "CONTENT_LENGTH": ("", "3"),
}


@dataclass(frozen=True)
class Request:
    """All of a request, so that a failure can be sent again."""

    role: str
    method: str
    path: str
    query: str
    body: bytes
    kind: str
    headers: dict[str, str] = field(default_factory=dict)

    def send(self, client: Client) -> HttpResponseBase:
        more = {"QUERY_STRING": self.query, **self.headers}
        return client.generic(self.method, self.path, self.body, self.kind, **more)


def addresses(patterns: list[URLPattern | URLResolver], before: str = "") -> Iterator[str]:
    """The pattern of every address of the site, as it is written in the lists of addresses."""
    for pattern in patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns, route)
        else:
            yield route


@pytest.fixture
def known(settings: Settings, stripe: Sandbox) -> dict[str, str]:
    """A site where something has happened, and what stands for each part of its addresses."""
    settings.LIMIT_FACTOR = 10_000  # else most would be told to wait
    conference = make_conference()
    order = make_order(conference, names=("Ada", "Grace"))
    make_order(conference, names=(STRANGER,), email=STRANGERS_ADDRESS)
    gate, ada = make_gate(conference), make_subscriber()
    edition = Edition(number=1, title="One", body="Hello", published_on=date(2026, 1, 1))
    edition.pdf.save("one.pdf", ContentFile(b"%PDF-1.4"))
    run_queue()
    settings.MAIL_IS_KEPT_LOCALLY = False  # or the trial's outbox would show everybody's
    ticket = order.tickets.all()[0]
    volunteer = Client()
    volunteer.force_login(make_user("volunteer"))
    return {
        "slug": conference.slug,
        "gate_slug": gate.slug,
        "secret": order.secret,
        "reference": ticket.reference,
        "desk reference": order.reference,
        "number": "1",
        "token": links.confirm_url(ada).split("/")[-2],
        "unsubscribe token": links.unsubscribe_url(ada).split("/")[-2],
        "mail_id": str(Mail.objects.all()[0].pk),
        "attachment_pk": str(MailAttachment.objects.all()[0].pk),
        "key": str(uuid.uuid4()),
        "event_id": "evt_1",
        "path": edition.pdf.name,
        "object_id": str(conference.pk),
        "content_type_id": "1",
        "id": "1",
        "url": "x",
        "app_label": "conference",
        "uidb64": "MQ",
        "code": ticket.code,
        "scan": str(scan(volunteer, gate, ticket.code)["id"]),
    }


def filled(route: str, known: dict[str, str]) -> str:
    """An address that exists."""

    def part(match: re.Match[str]) -> str:
        name = match[1].rpartition(":")[2]
        special = f"{route.partition('/')[0]} {name}"
        if "unsubscribe" in route and name == "token":
            special = "unsubscribe token"
        return known.get(special, known[name])

    route = re.sub(r"\^?\(\?P(<\w+>)[^)]*\)", r"\1", route).strip("^$")
    return "/" + re.sub(r"<([\w:]+)>", part, route).replace("/$", "/")


def a_request(rng: random.Random, paths: list[str], known: dict[str, str]) -> Request:
    values = [*VALUES, *(quote(value) for value in known.values())]

    def pairs(most: int) -> str:
        count = rng.randint(0, most)
        return "&".join(f"{rng.choice(FIELDS)}={rng.choice(values)}" for _ in range(count))

    path = rng.choice(paths)
    if rng.random() < 0.3:  # something in it that does not belong there
        parts = path.split("/")
        at = rng.randrange(1, len(parts))
        parts[at] = rng.choice((rng.choice(values), parts[at].upper(), parts[at] + "/", "..", "é"))
        path = "/".join(parts)
    kind = rng.choice(KINDS)
    body = pairs(12).encode()
    if rng.random() < 0.2:
        name, value = rng.choice(FIELDS), rng.choice(values)
        head = (
            f'--x\r\nContent-Disposition: form-data; name="{name}"; filename="{value[:50]}"\r\n\r\n'
        )
        body = head.encode() + rng.randbytes(20) + rng.choice((b"", b"\r\n--x--\r\n"))
    elif rng.random() < 0.1:
        body = rng.randbytes(50)
    chosen = rng.sample(sorted(HEADERS), rng.choice((0, 0, 0, 1, 2)))
    return Request(
        role=rng.choice(("nobody", "volunteer", "organiser")),
        method=rng.choice(METHODS),
        path=path,
        query=pairs(3),
        body=body,
        kind=kind,
        headers={name: rng.choice(HEADERS[name]) for name in chosen},
    )


def test_whatever_is_sent_breaks_nothing_and_is_told_nothing(
    known: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    rng = random.Random(SEED)
    paths = [filled(route, known) for route in sorted(addresses(get_resolver().url_patterns))]
    people = {role: Client(raise_request_exception=False) for role in ("nobody", "volunteer")}
    people["volunteer"].force_login(make_user("volunteer"))
    people["organiser"] = Client(raise_request_exception=False)
    people["organiser"].force_login(make_user("organiser", may_configure=True))
    cookies = {role: client.cookies.copy() for role, client in people.items()}
    seen = set()
    plain = [Request(role, "GET", path, "", b"", "") for role in people for path in paths]
    fuzzed = (a_request(rng, paths, known) for _ in range(REQUESTS))
    for request in chain(plain, fuzzed):
        client = people[request.role]
        client.cookies = cookies[request.role].copy()
        caplog.clear()
        # Taken back each time, so that every request finds the same site.
        start = transaction.savepoint()
        with CaptureQueriesContext(connection) as statements:
            answer = request.send(client)
        faults = list(wrong_with(request, answer, caplog, statements))
        transaction.savepoint_rollback(start)
        assert faults == [], f"\n{request!r}"
        seen.add(answer.status_code)
    # It was no fuzzer that only ever met closed doors.
    assert seen >= {200, 302, 400, 403, 404, 405}
    assert Order.objects.count() == 2


def wrong_with(
    request: Request,
    answer: HttpResponseBase,
    caplog: pytest.LogCaptureFixture,
    statements: CaptureQueriesContext,
) -> Iterator[str]:
    """What must not be, in words."""
    is_waiting = request.path.startswith("/readyz") and answer.status_code == 503
    if answer.status_code >= 500 and not is_waiting:
        yield f"status {answer.status_code}"
    for line in caplog.records:
        if line.name.startswith("django.security"):
            continue  # Django's own word for a host or a cookie that is not ours
        if line.exc_info or (line.levelno >= logging.ERROR and not is_waiting):
            yield f"in the log: {line.getMessage()} {line.exc_info}"
    parts = answer.streaming_content if answer.streaming else [answer.content]  # type: ignore[attr-defined]
    told = b"".join(parts).decode(errors="replace") + str(dict(answer.items()))
    sent = f"{request!r}"
    for secret in (*INSIDE, ours.SECRET_KEY, str(ours.ROOT)):
        if secret in told and secret not in sent:
            yield f"tells of {secret}"
    if request.role != "organiser":
        for theirs in (STRANGER, STRANGERS_ADDRESS):
            if theirs in told:
                yield f"tells {request.role} of {theirs}"
    if request.method in SAFE:
        for statement in statements:
            written = WRITES.match(statement["sql"])
            if written and not written[1].startswith(MAY_WRITE):
                yield f"changes something: {statement['sql'][:200]}"
