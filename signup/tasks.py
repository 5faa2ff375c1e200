"""Background tasks of the Bulletin."""

from datetime import datetime

from django.utils import timezone
from django_tasks import task

from conference.queue import SMALL_MAIL
from signup import actions
from signup.models import Consent


@task(priority=SMALL_MAIL)
def sign_up(email: str, first_name: str, last_name: str, source: str, at: str) -> None:
    """Record a sign-up and mail the link to confirm it.

    Done by a worker, so that the response takes the same time for known and unknown addresses and
    does not reveal who is on the list. `at` is when the form was sent, in ISO 8601.
    """
    actions.sign_up(
        email=email,
        first_name=first_name,
        last_name=last_name,
        source=Consent.Source(source),
        asked_at=datetime.fromisoformat(at),
        now=timezone.now(),
    )
