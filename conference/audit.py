"""The audit log: one writer, append only."""

from datetime import datetime
from typing import Any

from conference.models import AuditEntry, User


def record(
    verb: str, subject: str, *, now: datetime, by: User | None = None, **detail: Any
) -> None:
    """Record that `verb` was done to `subject` at `now`.

    `verb` and the names in `detail` need an entry in conference/desk/words.py, which says how the
    desk shows them; a test checks this. `subject` is an order's reference or another identifier
    that people know. `by` is the member of staff who did it; None means the person themselves, or
    the service. The values in `detail` are stored as JSON and may not include a person's name or
    address.
    """
    AuditEntry.objects.create(verb=verb, subject=subject, at=now, by=by, detail=detail)
