"""The audit log: one writer, append only."""

from datetime import datetime
from typing import Any

from conference.models import AuditEntry, User


def record(
    verb: str, subject: str, *, now: datetime, by: User | None = None, **detail: Any
) -> None:
    """Write down that `verb` was done to `subject` at `now`.

    `subject` is an order's reference or another name for people, `by` the member of staff who
    did it (None: the person themself, or the service). `detail` must be JSON and hold no address.
    """
    AuditEntry.objects.create(verb=verb, subject=subject, at=now, by=by, detail=detail)
