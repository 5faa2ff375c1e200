"""Where benches run: on one kind of database, with the bare server and as many sites as needed."""

import json
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.client import HOST, Browser
from bench.databases import Databases
from bench.programs import environment, free_port, program, run, wait_until_up

PYTHON = sys.executable
SERVER = (PYTHON, "-m", "deploy.serve")
WEBHOOK_SECRET = "whsec_bench"
PLENTY = 10_000_000  # places; more than a bench can take


@dataclass
class Site:
    """A site with the sample conference; its parts run where a bench asks for them."""

    databases: Databases
    folder: Path
    env: dict[str, str]
    slug: str = ""  # of the sample conference
    types: list[int] = field(default_factory=list)  # keys of its ticket types
    codes: list[str] = field(default_factory=list)  # signed codes of its valid tickets

    @property
    def port(self) -> int:
        return int(self.env["PORT"])

    @property
    def stripe_port(self) -> int:
        return int(self.env["SANDBOX_PORT"])

    def call(self, module: str, function: str, **arguments: Any) -> Any:
        """Call a function of a module of bench/ in the site's settings; returns its result."""
        words = [PYTHON, "-m", "bench.within", f"bench.{module}", function, json.dumps(arguments)]
        return json.loads(run(words, self.env))

    def fill(self, *, places: int = PLENTY, taken: int = 0) -> None:
        """Give the sample conference so many places, and take some of them."""
        about = self.call("data", "fill", places=places, taken=taken)
        self.slug, self.types, self.codes = about["slug"], about["types"], about["codes"]

    def count(self, what: str) -> int:
        """How many rows a table has; `what` may end in a WHERE."""
        with closing(self.databases.connect(self.env["DATABASE_URL"])) as connection:
            return int(connection.execute(f"SELECT count(*) FROM {what}").fetchone()[0])

    def has_open_transaction(self) -> bool:
        """Whether a transaction is open in the site's database."""
        return self.databases.has_open_transaction(self.env["DATABASE_URL"])

    @contextmanager
    def web(self, **variables: str) -> Iterator[int]:
        """The web server, running with these further variables. Yields its process's id."""
        with program(SERVER, self.env | variables, self.folder / "log") as process:
            wait_until_up(process, self.port, "/healthz", self.folder / "log")
            yield process.pid

    @contextmanager
    def stripe(self) -> Iterator[Browser]:
        """The local Stripe, running; it sends no webhooks of its own. Yields a visitor to it."""
        env = self.env | {"PORT": str(self.stripe_port)}
        with program((PYTHON, "-m", "sandbox"), env, self.folder / "log") as process:
            wait_until_up(process, self.stripe_port, "/", self.folder / "log")
            visitor = Browser(self.stripe_port)
            visitor.post("/control/webhooks", {"on": "no"})
            yield visitor

    @contextmanager
    def worker(self) -> Iterator[None]:
        """The worker, running."""
        with program((PYTHON, "manage.py", "worker"), self.env, self.folder / "log"):
            yield


@dataclass
class Stage:
    """One kind of database, and the bare server on it."""

    databases: Databases
    folder: Path
    bare_port: int = 0
    _sites: int = 0

    def site(self, *, places: int = PLENTY, taken: int = 0) -> Site:
        """A new site whose conference has so many places, some of them taken."""
        site = self.empty_site()
        run([PYTHON, "-m", "deploy.prepare"], site.env)
        site.fill(places=places, taken=taken)
        return site

    def empty_site(self) -> Site:
        """A site whose database has no tables yet."""
        self._sites += 1
        folder = self.folder / f"site{self._sites}"
        folder.mkdir()
        port, stripe_port = free_port(), free_port()
        env = environment(
            DATA_DIR=str(folder),
            DATABASE_URL=self.databases.new(folder),
            PORT=str(port),
            SANDBOX_PORT=str(stripe_port),
            BASE_URL=f"http://{HOST}:{port}",
            STRIPE_API_BASE=f"http://{HOST}:{stripe_port}",
            STRIPE_WEBHOOK_SECRET=WEBHOOK_SECRET,
        )
        return Site(self.databases, folder, env)


@contextmanager
def stage_on(databases: Databases, folder: Path) -> Iterator[Stage]:
    """A stage with its bare server running; everything is kept in the folder."""
    stage = Stage(databases, folder)
    bare = stage.empty_site()
    run([PYTHON, "-m", "bench.bare"], bare.env)
    log = bare.folder / "log"
    with program((*SERVER, "bench.bare.wsgi"), bare.env, log) as process:
        wait_until_up(process, bare.port, "/page/", log)
        stage.bare_port = bare.port
        yield stage
