"""How soon mail leaves while hundreds of tickets wait to be drawn."""

import threading
import time
from typing import Any

from aiosmtpd.controller import Controller

from bench.client import HOST, Failed
from bench.programs import free_port
from bench.stage import Stage

BOOKINGS = 600
WITHIN = 120.0  # seconds
RUNNING_FOR = 5.0  # seconds, before somebody asks for a lost link


class _Inbox:
    """A mail server that notes when the first mail came, and the first with a lost link."""

    def __init__(self) -> None:
        self.ticket, self.link = threading.Event(), threading.Event()

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        (self.link if b"visitor0@" in envelope.rcpt_tos[0].encode() else self.ticket).set()
        return "250 OK"


def mail(stage: Stage) -> dict[str, Any]:
    """600 bookings wait: seconds until the first mail is out, and until a lost link is."""
    site = stage.site()
    site.fill(taken=2)
    site.call("data", "book", count=BOOKINGS)
    inbox, port = _Inbox(), free_port()
    server = Controller(inbox, hostname=HOST, port=port)
    server.start()
    site.env["EMAIL_URL"] = f"smtp://{HOST}:{port}"
    try:
        began = time.monotonic()
        with site.worker():
            first = _seconds_until(inbox.ticket, began)
            time.sleep(RUNNING_FOR)
            began = time.monotonic()  # so it includes the start of the program that asks
            site.call("data", "ask_for_link", email="visitor0@example.org")
            link = _seconds_until(inbox.link, began)
    finally:
        server.stop()
    return {"bookings": BOOKINGS, "first_s": first, "link_s": link}


def _seconds_until(event: threading.Event, began: float) -> float:
    if not event.wait(WITHIN):
        raise Failed(f"no mail within {WITHIN:.0f} s")
    return round(time.monotonic() - began, 2)
