"""The audit log: one writer, append only."""

from datetime import datetime
from typing import Any

from conference.models import AuditEntry, User


def record(
    verb: str, subject: str, *, now: datetime, by: User | None = None, **detail: Any
) -> None:
    """Write down that `verb` was done to `subject` at `now`.

    `verb` and the names in `detail` must have words in conference/desk/words.py, where the desk
    finds what to show; a test holds that. `subject` is an order's reference or another name that
    people know it by. `by` is the member of staff who did it; None stands for the person
    themselves, or for the service. The values in `detail` are written as JSON, and none of them
    may be a person's name or address.
    """
    AuditEntry.objects.create(verb=verb, subject=subject, at=now, by=by, detail=detail)
