"""What a worker does for the Bulletin."""

from datetime import datetime

from django_tasks import task

from signup import actions
from signup.models import Consent


@task()
def sign_up(email: str, first_name: str, last_name: str, source: str, at: str) -> None:
    """Write a sign-up down and mail the link to confirm it.

    This is done by a worker so that the form is answered as quickly for an unknown address as for
    a known one: the time it takes must not tell who is on the list. `at` is when the form was
    sent, in ISO 8601.
    """
    actions.sign_up(
        email=email,
        first_name=first_name,
        last_name=last_name,
        source=Consent.Source(source),
        now=datetime.fromisoformat(at),
    )
