"""`manage.py stripe_sandbox`: the local Stripe as its own process."""

import errno
import signal
import threading
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from donations.sandbox.server import start
from donations.sandbox.store import StateInUse


class Command(BaseCommand):
    """Serves until SIGTERM or SIGINT, and then ends within a second."""

    help = "Runs a local Stripe for development. No real money; refuses to start outside DEBUG."
    # It touches no database, so that it starts quickly and before the migrations.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="the address to listen on")
        parser.add_argument(
            "--port", type=int, default=None, help="the port to listen on (default: SANDBOX_PORT)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError("The local Stripe starts only with DEBUG=1.")
        host, port = options["host"], options["port"]
        port = settings.SANDBOX_PORT if port is None else port
        try:
            sandbox = start(
                host=host,
                port=port,
                state_file=settings.DATA_DIR / "stripe-sandbox.json",
                webhook_url=f"{settings.BASE_URL}/stripe/webhook/",
                webhook_secret=settings.STRIPE_WEBHOOK_SECRET,
            )
        except StateInUse as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                message = f"Port {port} is taken. Choose another one with SANDBOX_PORT=."
            else:
                message = f"The local Stripe cannot listen on {host}:{port}: {error.strerror}."
            raise CommandError(message) from error
        ended = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: ended.set())
        with sandbox:
            self.stdout.write(f"The local Stripe listens at {sandbox.base_url}/")
            self.stdout.flush()
            ended.wait()
