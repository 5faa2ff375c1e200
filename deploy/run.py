"""`make run`: set-up, database, sample data, then every part of the service in one terminal.

PORT (8000) is the site's, SANDBOX_PORT (PORT + 1) the local Stripe's; DATA_DIR (./data) holds
database, media and keys. Every other variable of the settings is passed on.
"""

import http.client
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

from deploy import bootstrap
from deploy.supervisor import Supervisor, say

HOST = "127.0.0.1"
UP_WITHIN = 60.0  # seconds; enough for the first start on a slow machine


def port(name: str, default: int) -> int:
    """The port in the variable `name`. Raises SetupError unless we can listen on it."""
    text = os.environ.get(name) or str(default)
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65535:
        raise bootstrap.SetupError(f"{name}={text} is not a port. Choose one from 1024 to 65535.")
    number = int(text)
    with socket.socket() as probe:
        # A port that has only closed connections in TIME_WAIT is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, number))
        except PermissionError as error:
            raise bootstrap.SetupError(
                f"{name}={number} is not open to this user. Choose one from 1024 to 65535."
            ) from error
        except OSError as error:
            raise bootstrap.SetupError(
                f"Port {number} is taken. Choose another: make run {name}={number + 10}"
            ) from error
    return number


def environment(site: int, sandbox: int) -> dict[str, str]:
    """The environment of every part: the caller's, with defaults for what is not set."""
    defaults = {
        "BASE_URL": f"http://{HOST}:{site}",
        "STRIPE_API_BASE": f"http://{HOST}:{sandbox}",
        "DATA_DIR": str(bootstrap.ROOT / "data"),
    }
    given = {name: value for name, value in os.environ.items() if value}
    ours = {
        "TRIAL": "1",
        "PORT": str(site),
        "SANDBOX_PORT": str(sandbox),
        "PYTHONUNBUFFERED": "1",
    }
    return {**defaults, **given, **ours}


def prepare(env: dict[str, str]) -> str:
    """Migrate, add the sample data and return its log-ins as text. Raises SetupError."""
    Path(env["DATA_DIR"]).mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [bootstrap.PYTHON, "-m", "deploy.prepare"],
        cwd=bootstrap.ROOT,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        raise bootstrap.SetupError("The database could not be made ready. The reason is above.")
    return done.stdout


def answers(port: int, path: str) -> bool:
    """Whether an HTTP server there answers with a status below 500."""
    connection = http.client.HTTPConnection(HOST, port, timeout=0.5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def announce(env: dict[str, str], sandbox: int, log_ins: str) -> None:
    """Print the addresses and the log-ins."""
    base = env["BASE_URL"].rstrip("/")
    lines = [
        "",
        f"The site        {base}/",
        f"The door        {base}/door/",
        f"The desk        {base}/desk/",
        f"Mail sent       {base}/outbox/",
        f"Local Stripe    http://{HOST}:{sandbox}/",
        f"Data            {env['DATA_DIR']}",
        "",
        *log_ins.strip().splitlines(),
        "",
        "Ctrl-C ends it; a second one ends it at once.",
    ]
    for line in lines:
        say("run", line)


def start_all(site: int, sandbox: int) -> int:
    """Prepare the database and run every part until the end; returns the exit status."""
    env = environment(site, sandbox)
    os.chdir(bootstrap.ROOT)
    log_ins = prepare(env)

    python, manage = str(bootstrap.PYTHON), "manage.py"
    supervisor = Supervisor()
    supervisor.start("web", [python, "-m", "deploy.serve"], env)
    supervisor.start("worker", [python, manage, "worker"], env)
    supervisor.start("sweep", [python, manage, "sweep", "--every", "30"], env)
    supervisor.start("stripe", [python, "-m", "sandbox"], env)
    return supervisor.run(
        is_up=lambda: answers(site, "/healthz") and answers(sandbox, "/"),
        when_up=lambda: announce(env, sandbox, log_ins),
        within=UP_WITHIN,
    )


def main() -> int:
    """Check the ports, set up what is lacking, run it all; returns the exit status."""
    site = port("PORT", 8000)
    sandbox = port("SANDBOX_PORT", site + 1)
    if site == sandbox:
        raise bootstrap.SetupError(f"PORT and SANDBOX_PORT are both {site}. Choose two.")
    bootstrap.set_up("run")
    return start_all(site, sandbox)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        sys.exit(main())
    except bootstrap.SetupError as error:
        sys.exit(f"run    | {error}")
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
