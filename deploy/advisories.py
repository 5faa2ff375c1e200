"""`make audit`: known vulnerabilities of the locked packages, by a local copy of advisories.

The copy is a folder or a zip file of advisories in the OSV format, by default build/advisories; a
folder may have zip files in it. The OSV project publishes one for PyPI and one for npm. Nothing is
fetched here. (pip-audit and npm audit ask a server.)

Ends with 0 if no vulnerability is known, 1 if one is, and 2 if it could not tell.
"""

import json
import re
import sys
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name, canonicalize_version
from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent
COPY = ROOT / "build" / "advisories"
PYTHON_LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-build.lock")
NPM_LOCK = "package-lock.json"
FRESH_FOR = timedelta(days=30)
_PINNED = re.compile(r"([\w.-]+)(?:\[[^]]*\])?==([^\s;]+)")
_SEMVER = re.compile(r"(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?")
# What reading something stumbles over that is no advisory, or no lock file.
_UNREADABLE = (AttributeError, KeyError, TypeError, ValueError)

# Of an ecosystem and a package's name, its locked versions with the files that lock them.
Locked = dict[tuple[str, str], dict[str, list[str]]]


class CannotTell(Exception):
    """Nothing was checked; the message says why."""


def semver(text: str) -> tuple[object, ...]:
    """What npm's versions are ordered by: a release comes after its pre-releases."""
    found = _SEMVER.fullmatch(text)
    if found is None:
        raise ValueError(f"{text} is no version of npm")
    numbers = tuple(int(number) for number in found.group(1, 2, 3))
    if not found[4]:
        return (numbers, True)
    parts = ((0, int(p), "") if p.isdigit() else (1, 0, p) for p in found[4].split("."))
    return (numbers, False, *parts)


ORDER: dict[str, Callable[[str], Any]] = {"PyPI": Version, "npm": semver}


def locked(root: Path) -> Locked:
    """All that the lock files name. CannotTell if one cannot be read."""
    found: Locked = defaultdict(lambda: defaultdict(list))
    try:
        for lock in PYTHON_LOCKS:
            for line in (root / lock).read_text().splitlines():
                if line and not line.startswith((" ", "#", "--")):
                    if (pin := _PINNED.match(line)) is None:
                        raise CannotTell(f"{lock} has a line that names no version: {line}.")
                    found["PyPI", canonicalize_name(pin[1])][pin[2]].append(lock)
        for place, package in json.loads((root / NPM_LOCK).read_text())["packages"].items():
            if place and not package.get("link"):
                name = package.get("name") or place.rpartition("node_modules/")[2]
                found["npm", name][package["version"]].append(NPM_LOCK)
    except (OSError, *_UNREADABLE) as error:
        raise CannotTell(f"The lock files could not be read: {error!r}.") from error
    return found


def files(copy: Path) -> Iterator[tuple[str, bytes]]:
    """Every advisory of the copy, with where it is. CannotTell if the copy cannot be read."""
    if not copy.exists():
        raise CannotTell(f"There is no copy of advisories at {copy}.")
    try:
        for path in sorted(copy.rglob("*")) if copy.is_dir() else [copy]:
            if path.suffix == ".json":
                yield str(path), path.read_bytes()
            elif path.suffix == ".zip":
                with zipfile.ZipFile(path) as archive:
                    for name in archive.namelist():
                        if name.endswith(".json"):
                            yield f"{path}: {name}", archive.read(name)
    except (OSError, zipfile.BadZipFile, zlib.error) as error:
        raise CannotTell(f"The copy of advisories could not be read: {error}.") from error


def is_affected(affected: dict[str, Any], version: str, order: Callable[[str], Any]) -> bool:
    """Whether an entry of an advisory means this version.

    Ranges of git commits say nothing about a release; the schema has versions beside them.
    """
    if canonicalize_version(version) in map(canonicalize_version, affected.get("versions", [])):
        return True
    ranges = [one for one in affected.get("ranges", []) if one["type"] in ("ECOSYSTEM", "SEMVER")]
    return any(_is_within(one["events"], order(version), order) for one in ranges)


def _is_within(events: list[dict[str, str]], version: Any, order: Callable[[str], Any]) -> bool:
    # "0" is before all versions, and so before 0.0.0's pre-releases.
    moments = [(at != "0" and order(at), kind) for event in events for kind, at in event.items()]
    inside = False
    for at, kind in sorted(moments, key=lambda one: (one[0] is not False, one[0])):
        if kind == "introduced":
            inside = inside or at is False or version >= at
        elif kind == "last_affected":
            inside = inside and version <= at
        elif kind in ("fixed", "limit"):
            inside = inside and version < at
        else:
            raise ValueError(f"an event of an unknown kind: {kind}")
    return inside


class Check:
    """Holds advisories against the locked packages, one after the other."""

    def __init__(self, packages: Locked) -> None:
        self.packages = packages
        self.vulnerabilities: list[str] = []
        self.newest: dict[str, datetime] = {}  # the last change, by ecosystem
        self._told: set[tuple[str, str]] = set()

    def hold_against(self, advisory: dict[str, Any]) -> None:
        """Add the vulnerabilities that one advisory tells of."""
        modified = datetime.fromisoformat(advisory["modified"]).astimezone(UTC)
        for affected in advisory.get("affected", []):
            package = affected.get("package", {"ecosystem": "", "name": ""})
            ecosystem, name = package["ecosystem"].partition(":")[0], package["name"]
            if ecosystem not in ORDER or "withdrawn" in advisory:
                continue
            self.newest[ecosystem] = max(modified, self.newest.get(ecosystem, modified))
            name = canonicalize_name(name) if ecosystem == "PyPI" else name
            for version, locks in self.packages.get((ecosystem, name), {}).items():
                if is_affected(affected, version, ORDER[ecosystem]):
                    self._tell(f"{name} {version}", locks, advisory, affected)

    def _tell(
        self, what: str, locks: list[str], advisory: dict[str, Any], affected: dict[str, Any]
    ) -> None:
        ids = [advisory["id"], *advisory.get("aliases", [])]
        # Two databases tell of one vulnerability, each by its own name.
        is_new = not any((what, one) in self._told for one in ids)
        self._told |= {(what, one) for one in ids}
        scores = [one["score"] for one in advisory.get("severity", [])]
        severity = (advisory.get("database_specific") or {}).get("severity") or ", ".join(scores)
        events = [event for one in affected.get("ranges", []) for event in one["events"]]
        fixed = [event["fixed"] for event in events if "fixed" in event]
        if is_new:
            self.vulnerabilities.append(
                f"{what} ({', '.join(locks)}): {' = '.join(ids)}. "
                f"Severity {severity or 'not given'}, fixed in {' or '.join(fixed) or 'none yet'}. "
                f"{advisory.get('summary', '')}".strip()
            )


def main(copy: Path, *, now: datetime, root: Path = ROOT) -> int:
    """Print what is known; return the exit status."""
    unread = []
    try:
        check = Check(locked(root))
        for where, text in files(copy):
            try:
                check.hold_against(json.loads(text))
            except _UNREADABLE as error:
                unread.append(f"{where} could not be read: {error!r}")
    except CannotTell as reason:
        print(f"{reason} Nothing was checked. (deploy/hosting/README.md: how to get a copy.)")
        return 2
    unread += [
        f"The copy has no advisory for packages of {ecosystem}"
        for ecosystem in sorted({ecosystem for ecosystem, _ in check.packages})
        if ecosystem not in check.newest
    ]
    for ecosystem, newest in sorted(check.newest.items()):
        old = ": older than 30 days, get a newer copy" if now - newest > FRESH_FOR else ""
        print(f"Advisories for {ecosystem} up to {newest:%Y-%m-%d}{old}.")
    for line in (*check.vulnerabilities, *unread):
        print(line)
    count = sum(len(versions) for versions in check.packages.values())
    known = f"{len(check.vulnerabilities)} known vulnerabilities"
    print(f"{count} packages, {known}, {len(unread)} gaps in what was read.")
    return 1 if check.vulnerabilities else 2 if unread else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if sys.argv[1:] else COPY, now=datetime.now(UTC)))
