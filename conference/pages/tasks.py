"""Background tasks about log-ins."""

from django.utils import timezone
from django_tasks import task

from conference import mails
from conference.models import User
from conference.pages.log_in import WithoutSamples
from conference.queue import SMALL_MAIL


@task(priority=SMALL_MAIL)
def mail_new_password(email: str) -> None:
    """Mail the link to choose a new password, if somebody logs in with this address.

    Done by a worker, so that the response takes the same time for any address.
    """
    now = timezone.now()
    user = User.objects.filter(email=email).first()
    if (
        user is not None
        and WithoutSamples().user_can_authenticate(user)
        and user.has_usable_password()
    ):
        mails.password_forgotten(user=user, now=now)
