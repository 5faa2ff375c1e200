"""`python -m sandbox`: the local Stripe as its own process."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

from sandbox.server import Sandbox, start

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "sandbox"]


def environment(**given: str) -> dict[str, str]:
    """Nothing of the caller's but what a program needs to run, and `given`."""
    return {"PATH": os.environ["PATH"], **given}


def refusal(*options: str, **given: str) -> tuple[int, str]:
    """The exit status and the message of a start that must fail, without output."""
    done = subprocess.run(
        [*COMMAND, *options],
        cwd=ROOT,
        env=environment(**given),
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert done.stdout == ""
    return done.returncode, done.stderr


def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_command_serves_until_told_to_end(tmp_path: Path, end: signal.Signals) -> None:
    port = free_port()
    site = "http://127.0.0.1:9"
    process = subprocess.Popen(
        COMMAND,
        cwd=ROOT,
        env=environment(DATA_DIR=str(tmp_path), SANDBOX_PORT=str(port), BASE_URL=f"{site}/"),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    address = f"http://127.0.0.1:{port}/"
    assert process.stdout.readline() == f"The local Stripe listens at {address}\n"
    page = requests.get(f"{address}control/", timeout=5).text
    assert f"They go to {site}/stripe/webhook/ and are on." in page
    assert (tmp_path / "stripe-sandbox.json").exists()
    before = time.monotonic()
    process.send_signal(end)
    assert process.wait(timeout=10) == 0
    assert time.monotonic() - before < 5  # a second on a machine with nothing else to do


@pytest.mark.parametrize("host", ["0.0.0.0", "", "192.0.2.1", "stripe.example.org"])
def test_command_refuses_what_others_could_reach(tmp_path: Path, host: str) -> None:
    assert refusal("--host", host, DATA_DIR=str(tmp_path)) == (
        1,
        f"The local Stripe listens on loopback addresses only, not on '{host}'.\n",
    )
    assert list(tmp_path.iterdir()) == []


def test_command_says_that_its_port_is_taken(sandbox: Sandbox, tmp_path: Path) -> None:
    # Its default is the port after the site's.
    assert refusal(PORT=str(sandbox.port - 1), DATA_DIR=str(tmp_path)) == (
        1,
        f"Port {sandbox.port} is taken. Choose another one with SANDBOX_PORT=.\n",
    )


@pytest.mark.parametrize("port", ["0", "65536", "80a", "-1", "٣٠٠٠"])
def test_command_says_what_is_no_port(tmp_path: Path, port: str) -> None:
    assert refusal(f"--port={port}", DATA_DIR=str(tmp_path)) == (
        1,
        f"{port} is not a port. Choose one from 1024 to 65535.\n",
    )


def test_command_says_that_its_state_is_in_use(tmp_path: Path) -> None:
    path = tmp_path / "stripe-sandbox.json"
    with start(webhook_url=None, webhook_secret="whsec_local", state_file=path):
        assert refusal("--port", str(free_port()), DATA_DIR=str(tmp_path)) == (
            1,
            f"{path} is in use by another local Stripe.\n",
        )


def test_command_says_that_the_site_is_at_no_address(tmp_path: Path) -> None:
    given = {"DATA_DIR": str(tmp_path), "BASE_URL": "site.test"}
    assert refusal("--port", str(free_port()), **given) == (
        1,
        "site.test/stripe/webhook/ is not an http or https address\n",
    )
