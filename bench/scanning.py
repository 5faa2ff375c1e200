"""The door: tickets admitted, at a conference with few of them and at one with many."""

import uuid
from collections.abc import Iterator
from typing import Any

from bench.client import Browser, form, request
from bench.comparing import FORM, Contender, bare_write, figures, in_turn
from bench.stage import Site, Stage

FEW, MANY = 1_000, 20_000
AT_ONCE = 8
# In one round: each ticket is admitted once, and the fewer must last for all rounds.
MOST = 300
VOLUNTEER = {"username": "door@example.org", "password": "open-dialogue"}


def scan(stage: Stage) -> Iterator[dict[str, Any]]:
    """Admit by the phone's own request, eight phones at once."""
    sites = [stage.site(), stage.site()]
    codes = [site.prepare("tickets", count=n) for site, n in zip(sites, (FEW, MANY), strict=True)]
    with sites[0].web(), sites[1].web():
        few, many = (_scans(site, some) for site, some in zip(sites, codes, strict=True))
        bare = bare_write(stage)
        in_turn([few, bare, many], at_once=AT_ONCE)
    line = figures("scan", stage, AT_ONCE, few.load, bare.load)
    yield line | {"tickets": FEW}
    line = figures("scan", stage, AT_ONCE, many.load, bare.load)
    rate = many.load.per_s / few.load.per_s
    yield line | {"tickets": MANY, "rate_with_many": round(rate, 3)}


def _scans(site: Site, codes: list[str]) -> Contender:
    """One ticket after the other at the main door, by a volunteer's phone."""
    phone = Browser(site.port)
    phone.get("/login/")
    phone.post("/login/", VOLUNTEER)
    # Logging in changes the token; any page with a form tells the new one.
    phone.get("/door/main/")
    headers = FORM | {"Cookie": phone.cookie, "X-CSRFToken": phone.token}
    asked = (
        request(
            "POST",
            "/door/main/scan/",
            body=form({"id": str(uuid.uuid4()), "code": code}),
            headers=headers,
        )
        for code in codes
    )
    return Contender(site.port, asked, lambda answer: b'"admitted"' in answer.body, most=MOST)
