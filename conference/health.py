"""Whether the service is alive and fit for work, for monitors and load balancers."""

from datetime import timedelta
from typing import Any

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from conference.models import Heartbeat, Mail

WORKER_SEEN_WITHIN = timedelta(minutes=1)
SWEEP_SEEN_WITHIN = timedelta(minutes=5)
MAIL_OUT_WITHIN = timedelta(minutes=15)


@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """200 as long as this process answers."""
    return JsonResponse({"ok": True})


@never_cache
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """200 if everything works that people rely on, else 503; the JSON says what does not."""
    try:
        checks = _checks()
    except DatabaseError:
        checks = {"database": {"ok": False}}
    ok = all(check["ok"] for check in checks.values())
    return JsonResponse({"ok": ok, "checks": checks}, status=200 if ok else 503)


def _checks() -> dict[str, dict[str, Any]]:
    now = timezone.now()
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        return {"database": {"ok": True}, "migrations": {"ok": False, "missing": len(missing)}}
    seen = dict(Heartbeat.objects.values_list("name", "seen_at"))
    oldest = (
        Mail.objects.filter(status__in=[Mail.Status.QUEUED, Mail.Status.SENDING])
        .order_by("created_at")
        .values_list("created_at", flat=True)
        .first()
    )
    return {
        "database": {"ok": True},
        "migrations": {"ok": True, "missing": 0},
        "worker": _seen(seen.get("worker"), now, WORKER_SEEN_WITHIN),
        "sweep": _seen(seen.get("sweep"), now, SWEEP_SEEN_WITHIN),
        "mail": {
            "ok": oldest is None or now - oldest <= MAIL_OUT_WITHIN,
            "oldest_s": round((now - oldest).total_seconds()) if oldest else 0,
        },
    }


def _seen(at: Any, now: Any, within: timedelta) -> dict[str, Any]:
    if at is None:
        return {"ok": False, "seen_s_ago": None}
    return {"ok": now - at <= within, "seen_s_ago": round((now - at).total_seconds())}
