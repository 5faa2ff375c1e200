"""`python -m sandbox`: the local Stripe as a process of its own.

Read from the environment, as for the site (an empty variable counts as not set):

    SANDBOX_PORT           the port to listen on (PORT + 1, where PORT is 8000 unless set)
    DATA_DIR               its state is kept in stripe-sandbox.json there (./data)
    BASE_URL               the site; webhooks go to /stripe/webhook/ there (http://127.0.0.1:PORT)
    STRIPE_WEBHOOK_SECRET  what webhooks are signed with (whsec_local)

It serves until SIGTERM or SIGINT, and then ends within a second.
"""

import argparse
import errno
import os
import signal
import sys
import threading
from pathlib import Path

from sandbox.server import Sandbox, start
from sandbox.store import StateInUse


def _setting(name: str, default: str) -> str:
    return os.environ.get(name) or default


def _port(text: str) -> int:
    """The port that a text names. Raises ValueError unless there can be such a port."""
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65535:
        raise ValueError(f"{text} is not a port. Choose one from 1024 to 65535.")
    return int(text)


def _started(host: str, port_text: str) -> Sandbox:
    """The running local Stripe, or SystemExit with one line that says why it cannot run."""
    try:
        site_port = _port(_setting("PORT", "8000"))
        port = _port(port_text or _setting("SANDBOX_PORT", str(site_port + 1)))
        site = _setting("BASE_URL", f"http://127.0.0.1:{site_port}").rstrip("/")
        return start(
            host=host,
            port=port,
            state_file=Path(_setting("DATA_DIR", "data")) / "stripe-sandbox.json",
            webhook_url=f"{site}/stripe/webhook/",
            webhook_secret=_setting("STRIPE_WEBHOOK_SECRET", "whsec_local"),
        )
    except (StateInUse, ValueError) as error:
        sys.exit(str(error))
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            sys.exit(f"Port {port} is taken. Choose another one with SANDBOX_PORT=.")
        sys.exit(f"The local Stripe cannot start on {host}:{port}: {error.strerror}.")


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox", description="Runs a local Stripe for development. No real money."
    )
    parser.add_argument(
        "--host", default="127.0.0.1", help="the address of this machine to listen on"
    )
    parser.add_argument("--port", default="", help="the port to listen on (default: SANDBOX_PORT)")
    options = parser.parse_args()
    with _started(options.host, options.port) as sandbox:
        ended = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: ended.set())
        sys.stdout.write(f"The local Stripe listens at {sandbox.base_url}/\n")
        sys.stdout.flush()
        ended.wait()


if __name__ == "__main__":
    main()
