"""Texts that are small to send and take long to read: nobody may have us compute for seconds.

Each is what made one request take two to seven seconds of a process: marks upon marks, which
Unicode puts into order in a time that grows with the square of their number, and a Content-Type
over which a regular expression went back and forth.
"""

import time
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from django.test import Client

from conference.wsgi import application
from tests.factories import make_conference, make_user
from tests.html import fields
from tests.tickets.views.filled import filled, send

pytestmark = pytest.mark.django_db

MARKS = "\u0300\u0316" * 60_000
WITHIN = 0.5  # seconds of this process, for what takes a hundredth of that


def log_in(client: Client) -> Any:
    return client.post("/login/", {"username": MARKS, "password": "x"})


def sign_up(client: Client) -> Any:
    form = fields(client.get("/bulletin/"), action="/bulletin/")
    return client.post("/bulletin/", form | {"email": "a@example.org", "first_name": MARKS})


def reserve(client: Client) -> Any:
    conference = make_conference()
    sent = filled(client, conference, names=["x" + MARKS[:20_000]] * 10, name=MARKS)
    return send(client, conference, sent)


def change_password(client: Client) -> Any:
    client.force_login(make_user("volunteer"))
    new = {"new_password1": MARKS, "new_password2": MARKS}
    return client.post("/password/", new | {"old_password": "wrong"})


@pytest.mark.parametrize("send_it", [log_in, sign_up, reserve, change_password])
def test_marks_upon_marks_cost_nothing(client: Client, send_it: Callable[[Client], Any]) -> None:
    client.get("/")
    began = time.process_time()
    answer = send_it(client)
    assert (answer.status_code, time.process_time() - began < WITHIN) == (200, True)


@pytest.mark.parametrize("kind", ["a; boundary=x" + " " * 30_000 + "*", "a" + ";" * 30_000 + " *"])
def test_long_content_type_costs_nothing(kind: str) -> None:
    statuses: list[str] = []
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/healthz",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "CONTENT_TYPE": kind,
        "wsgi.input": BytesIO(),
    }
    began = time.process_time()
    application(environ, lambda status, _headers: statuses.append(status))
    assert (statuses, time.process_time() - began < WITHIN) == (["200 OK"], True)
