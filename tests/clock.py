"""Time that a test can move on."""

from datetime import datetime, timedelta

from django.utils import timezone

from sandbox.server import Sandbox

_really_now = timezone.now


class Clock:
    """The time for the service and for the local Stripe alike: the real one and what was added."""

    def __init__(self, stripe: Sandbox) -> None:
        self._stripe = stripe
        self._added = timedelta()

    def now(self) -> datetime:
        return _really_now() + self._added

    def advance(self, **by: float) -> datetime:
        """Move on by so many `minutes`, `hours` or `days`; the new time."""
        step = timedelta(**by)
        self._added += step
        self._stripe.advance(int(step.total_seconds()))
        return self.now()
