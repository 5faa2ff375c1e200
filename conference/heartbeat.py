"""Signs of life of the background processes."""

from datetime import datetime

from conference.models import Heartbeat


def beat(name: str, *, now: datetime) -> None:
    """Note that the process called `name` is alive at `now`."""
    Heartbeat.objects.update_or_create(name=name, defaults={"seen_at": now})
