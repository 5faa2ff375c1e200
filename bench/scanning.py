"""The door: tickets are admitted, at a conference with few of them and at one with many."""

import uuid
from typing import Any

from bench.client import Browser, form_request
from bench.comparing import ROUNDS, WARM_UP, Contender, bare_write, figures, in_turn
from bench.stage import Site, Stage

FEW, MANY = 1_000, 20_000
# A ticket is admitted once, and the few must last for all rounds.
MOST = (FEW - WARM_UP) // ROUNDS


def scan(stage: Stage) -> dict[str, Any]:
    """Admit by the request that a phone sends."""
    few_site, many_site = stage.site(taken=FEW), stage.site(taken=MANY)
    with few_site.web(), many_site.web():
        few, many, bare = _scans(few_site), _scans(many_site), bare_write(stage)
        in_turn(few, bare, many)
    with_many = round(many.load.per_s / few.load.per_s, 3)
    return figures(few.load, bare.load) | {"rate_with_many": with_many}


def _scans(site: Site) -> Contender:
    """One ticket after the other at the main door, by a volunteer's phone."""
    phone = Browser(site.port)
    phone.log_in("door@example.org")
    phone.get("/door/main/")  # logging in changes the token; any form tells the new one
    scans = (
        form_request("/door/main/scan/", {"id": str(uuid.uuid4()), "code": code}, phone.headers)
        for code in site.codes
    )
    return Contender(site.port, scans, lambda answer: b'"admitted"' in answer.body, most=MOST)
