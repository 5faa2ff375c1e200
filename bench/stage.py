"""Where a benchmark runs: one kind of database, the bare server on it, and sites as wanted."""

import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.client import HOST, Browser
from bench.databases import Databases, Rows
from bench.programs import MANAGE, SERVER, environment, free_port, program, run, server

PYTHON = sys.executable
# By which the sites know that an event is Stripe's.
SECRET = "whsec_bench"


@dataclass
class Site:
    """One site with its own database and data; its parts run where they are asked for."""

    databases: Databases
    folder: Path
    env: dict[str, str]

    @property
    def port(self) -> int:
        return int(self.env["PORT"])

    @property
    def stripe_port(self) -> int:
        return int(self.env["SANDBOX_PORT"])

    @property
    def url(self) -> str:
        return self.env["DATABASE_URL"]

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def prepare(self, what: str, **arguments: Any) -> Any:
        """Call a function of bench/data.py (or another module of ours) in the site's settings."""
        module, _, function = what.rpartition(".")
        words = [PYTHON, "-m", "bench.inside", f"bench.{module or 'data'}", function]
        return json.loads(run([*words, json.dumps(arguments)], self.env))

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What a query gives."""
        with self.reader() as rows:
            return rows(sql)

    def reader(self) -> AbstractContextManager[Rows]:
        """A connection of our own to the database, for questions in quick succession."""
        return self.databases.reader(self.url)

    @contextmanager
    def web(self, **more: str) -> Iterator[int]:
        """The web server, running; `more` are further variables. Yields its process's id."""
        with server(SERVER, self.env | more, self.log, path="/healthz") as process:
            yield process.pid

    @contextmanager
    def stripe(self) -> Iterator[Browser]:
        """The local Stripe, running; it sends no webhooks of its own. Yields a visitor to it."""
        env = self.env | {"PORT": str(self.stripe_port)}
        with server((PYTHON, "-m", "sandbox"), env, self.log, path="/"):
            visitor = Browser(self.stripe_port)
            visitor.post("/control/webhooks", {"on": "no"})
            yield visitor

    @contextmanager
    def worker(self) -> Iterator[None]:
        """The worker, running."""
        with program((*MANAGE, "worker"), self.env, self.log):
            yield


class Stage:
    """One kind of database with the bare server; makes sites, each a copy of the sample."""

    def __init__(self, databases: Databases, folder: Path) -> None:
        self.databases = databases
        self._folder = folder
        self._sites = 0
        self._open = ExitStack()
        self.bare_port = 0
        self._sample: Site | None = None

    def __enter__(self) -> "Stage":
        return self

    def __exit__(self, *error: object) -> None:
        self._open.close()

    def empty_site(self) -> Site:
        """A site whose database has no tables yet."""
        data, name = self._new_folder()
        return self._site(data, self.databases.empty(data, name))

    def site(self) -> Site:
        """A site with the sample conference."""
        if self._sample is None:
            self._sample = self.empty_site()
            run([PYTHON, "deploy/prepare.py"], self._sample.env)
        data, name = self._new_folder()
        shutil.copytree(self._sample.folder / "keys", data / "keys")
        shutil.copytree(self._sample.folder / "media", data / "media")
        return self._site(data, self.databases.copy(self._sample.url, data, name))

    def bare(self) -> int:
        """The port of the bare server, which is started when it is first asked for."""
        if not self.bare_port:
            data, name = self._new_folder()
            self.bare_port = free_port()
            env = environment(data, self.databases.empty(data, name), PORT=str(self.bare_port))
            run([PYTHON, "-m", "bench.bare"], env)
            command = (*SERVER, "bench.bare.wsgi")
            self._open.enter_context(server(command, env, data / "log", path="/page/"))
        return self.bare_port

    def _new_folder(self) -> tuple[Path, str]:
        self._sites += 1
        name = f"site{self._sites}"
        folder = self._folder / name
        folder.mkdir()
        return folder, name

    def _site(self, data: Path, url: str) -> Site:
        port, stripe_port = free_port(), free_port()
        env = environment(
            data,
            url,
            PORT=str(port),
            SANDBOX_PORT=str(stripe_port),
            BASE_URL=f"http://{HOST}:{port}",
            STRIPE_API_BASE=f"http://{HOST}:{stripe_port}",
            STRIPE_WEBHOOK_SECRET=SECRET,
        )
        return Site(self.databases, data, env)
