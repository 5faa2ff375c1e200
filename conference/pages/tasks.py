"""Background tasks about log-ins."""

from django.utils import timezone
from django_tasks import task

from conference import mail, mails
from conference.models import User
from conference.pages.log_in import WithoutSamples
from conference.queue import SMALL_MAIL

# Mails a day to the address. More than others may have us send there: each of these opens the
# account again, so nobody is shut out by whoever asked for them.
MOST_TO_AN_ADDRESS = mail.MOST_TO_AN_ADDRESS + 3


@task(priority=SMALL_MAIL)
def mail_new_password(email: str) -> None:
    """Mail the link to choose a new password, if somebody logs in with this address.

    Done by a worker, so that the response takes the same time for any address.
    """
    now = timezone.now()
    user = User.objects.filter(email=email).first()
    if (
        user is not None
        and mail.has_room(email, now=now, most=MOST_TO_AN_ADDRESS)
        and WithoutSamples().user_can_authenticate(user)
        and user.has_usable_password()
    ):
        mails.password_forgotten(user=user, now=now)
