"""Health checks for monitors and load balancers."""

import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from conference import clocks, queue
from conference.models import Heartbeat, Mail, Restore

_SEEN_WITHIN = {"worker": timedelta(minutes=1), "sweep": timedelta(minutes=5)}
QUEUE_DONE_WITHIN = timedelta(minutes=5)
# Enough for the database to go on writing until somebody has freed some space.
LEAST_DISK_MB = 100
_MB = 1_000_000
_PATHS = ("/healthz", "/readyz")


def beat(name: str, *, now: datetime) -> None:
    """Record that the background process called `name` is alive at `now`."""
    Heartbeat.objects.update_or_create(name=name, defaults={"seen_at": now})


def background_processes(now: datetime) -> dict[str, dict[str, Any]]:
    """Of each by its name whether it is alive (`ok`) and when it was last seen (`seen_s_ago`)."""
    seen = dict(Heartbeat.objects.values_list("name", "seen_at"))
    return {name: _seen(seen.get(name), now, within) for name, within in _SEEN_WITHIN.items()}


def asked_by_address(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: monitors may use the server's IP address, which is not in ALLOWED_HOSTS."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.path in _PATHS:
            request.META["HTTP_HOST"] = urlsplit(settings.BASE_URL).netloc
        return get_response(request)

    return middleware


@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """200 as long as this process answers."""
    return JsonResponse({"ok": True})


@never_cache
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """200 if all is well, else 503; the JSON has each.

    Disk, database, worker, sweep, mail, the queue, the sweep's clock, and whether a restored backup
    waits for an organiser to say what to send.
    """
    checks = {"disk": _disk()}
    try:
        checks |= _checks(timezone.now())
    except Error:
        checks["database"] = {"ok": False}
    ok = all(check["ok"] for check in checks.values())
    return JsonResponse({"ok": ok, "checks": checks}, status=200 if ok else 503)


def _disk() -> dict[str, Any]:
    """Of the disks with our files the one with least room: DATA_DIR's, and an SQLite database's."""
    folders = [Path(settings.DATA_DIR)]
    if connection.vendor == "sqlite":
        folders.append(Path(connection.settings_dict["NAME"]).parent)
    try:
        free_mb = min(shutil.disk_usage(folder).free for folder in folders) // _MB
    except OSError:
        return {"ok": False, "free_mb": None}
    return {"ok": free_mb >= LEAST_DISK_MB, "free_mb": free_mb}


def _checks(now: datetime) -> dict[str, dict[str, Any]]:
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        return {"database": {"ok": True}, "migrations": {"ok": False, "missing": len(missing)}}
    late = Mail.objects.late(now)
    oldest = late.order_by("created_at").values_list("created_at", flat=True).first()
    return {
        "database": {"ok": True},
        "migrations": {"ok": True, "missing": 0},
        **background_processes(now),
        "mail": {
            "ok": oldest is None,
            "oldest_s": round((now - oldest).total_seconds()) if oldest else 0,
        },
        # A mail with tickets is written only once they are drawn: until then it is a task.
        "queue": _waited(queue.oldest(), now),
        "clock": {"ok": clocks.known_trouble() is None},
        "restored": {"ok": not Restore.objects.unanswered().exists()},
    }


def _waited(since: datetime | None, now: datetime) -> dict[str, Any]:
    if since is None:
        return {"ok": True, "oldest_s": 0}
    return {
        "ok": _is_near(since, now, QUEUE_DONE_WITHIN),
        "oldest_s": round((now - since).total_seconds()),
    }


def _seen(at: datetime | None, now: datetime, within: timedelta) -> dict[str, Any]:
    if at is None:
        return {"ok": False, "seen_s_ago": None}
    return {"ok": _is_near(at, now, within), "seen_s_ago": round((now - at).total_seconds())}


def _is_near(at: datetime, now: datetime, within: timedelta) -> bool:
    """Whether `at` is at most `within` ago. Further ahead than that, a clock is wrong."""
    return abs(now - at) <= within
