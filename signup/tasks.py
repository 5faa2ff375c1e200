"""What a worker does for the Bulletin."""

from datetime import datetime

from django_tasks import task

from signup import actions
from signup.models import Consent


@task()
def sign_up(email: str, first_name: str, last_name: str, source: str, at: str) -> None:
    """Write a sign-up down and mail the confirm button.

    Done here and not while the visitor waits, so that the answer takes as long for an address
    that is known as for one that is not. `at` is when the form came, in ISO 8601.
    """
    actions.sign_up(
        email=email,
        first_name=first_name,
        last_name=last_name,
        source=Consent.Source(source),
        now=datetime.fromisoformat(at),
    )
