"""A real mail server on loopback, and a small message to send by it."""

import socket
import threading
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from django.utils import timezone

from conference import delivery, mail
from conference.models import Mail
from tests.factories import make_order


class MailServer:
    """A mail server that can be switched on and off, and that keeps what it is given."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.recipients: list[list[str]] = []  # of each message
        self.answer_to_recipient = "250 OK"
        self.answer_to_data = "250 OK"
        self.has_message = threading.Event()
        self.go_on = threading.Event()
        self.go_on.set()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if self.answer_to_recipient.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.answer_to_recipient

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.recipients.append(envelope.rcpt_tos)
        self.messages.append(message_from_bytes(envelope.content, policy=policy.default))
        self.has_message.set()
        await server.loop.run_in_executor(None, self.go_on.wait)
        return self.answer_to_data

    def start(self) -> None:
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self._controller.start()

    def stop(self) -> None:
        self.go_on.set()
        if self._controller.loop.is_running():
            self._controller.stop()


def write_mail(**fields: Any) -> Mail:
    """A small message with a file."""
    order = make_order(gift_pence=1500)  # which mails nothing by itself
    given: dict[str, Any] = {
        "key": "one",
        "to": "ada@example.org",
        "about": order.reference,
        "template": "tickets/emails/released",
        "context": {
            "order": order,
            "conference": order.conference,
            "organisation": order.conference.organisation,
            "order_url": "http://x.test/orders/s/",
        },
        "attachments": [mail.Attachment("a.txt", "text/plain", b"hello")],
        "now": timezone.now(),
    }
    return mail.write(**given | fields)


def attempt(message: Mail, now: datetime | None = None) -> Mail:
    """Try once to send the message; returns it as it is then."""
    delivery.deliver(message, now=now or timezone.now())
    message.refresh_from_db()
    return message
