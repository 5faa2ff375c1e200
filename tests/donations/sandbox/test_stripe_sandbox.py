"""The command that runs the local Stripe as its own process."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from donations.sandbox.server import Sandbox

MANAGE = Path(__file__).parents[3] / "manage.py"


def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


def test_command_serves_until_told_to_end(tmp_path: Path) -> None:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, MANAGE, "stripe_sandbox"],
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "conference.settings",
            "DEBUG": "1",
            "DATA_DIR": str(tmp_path),
            "SANDBOX_PORT": str(port),
        },
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    address = f"http://127.0.0.1:{port}/"
    assert process.stdout.readline() == f"The local Stripe listens at {address}\n"
    assert requests.get(f"{address}healthz", timeout=5).json() == {"status": "ok"}
    assert (tmp_path / "stripe-sandbox.json").exists()
    before = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=10) == 0
    assert time.monotonic() - before < 5  # a second on a machine with nothing else to do


def test_command_refuses_outside_debug(settings: Settings) -> None:
    settings.DEBUG = False
    with pytest.raises(CommandError, match="starts only with DEBUG=1"):
        call_command("stripe_sandbox")


def test_command_says_that_its_port_is_taken(
    settings: Settings, sandbox: Sandbox, tmp_path: Path
) -> None:
    settings.DEBUG = True
    settings.DATA_DIR = tmp_path
    with pytest.raises(CommandError, match=f"Port {sandbox.port} is taken"):
        call_command("stripe_sandbox", port=sandbox.port)
