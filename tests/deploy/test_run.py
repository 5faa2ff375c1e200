"""`make run` refuses in one line, before anything is set up or started."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.running_site import free_port

ROOT = Path(__file__).parents[2]


def run(**variables: str) -> subprocess.CompletedProcess[str]:
    """`make run`'s program with these variables, to its early end."""
    return subprocess.run(
        [sys.executable, "-m", "deploy.run"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **variables},
        capture_output=True,
        text=True,
        timeout=20,
    )


@pytest.mark.parametrize("name", ["PORT", "SANDBOX_PORT"])
def test_run_on_a_taken_port_says_so_in_one_line(name: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        other = {"PORT": str(free_port())} if name == "SANDBOX_PORT" else {}
        done = run(**{**other, name: str(port), "DATA_DIR": str(tmp_path / "data")})
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        f"run    | Port {port} is taken. Choose another: make run {name}={port + 10}\n"
    )
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("port", ["0", "65536", "80a", "-1", "٣٠٠٠"])
def test_run_on_what_is_no_port_says_so_in_one_line(port: str) -> None:
    done = run(PORT=port)
    assert done.returncode == 1
    assert done.stderr == (f"run    | PORT={port} is not a port. Choose one from 1024 to 65535.\n")
