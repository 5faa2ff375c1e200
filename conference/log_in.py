"""Who may log in."""

from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.base_user import AbstractBaseUser


class WithoutSamples(ModelBackend):
    """Django's own log-in, which outside DEBUG does not know the sample people.

    Their passwords are printed at every start of a trial; a database that has them may one day
    be used for real. Sessions they began end as well.
    """

    def user_can_authenticate(self, user: AbstractBaseUser | None) -> bool:
        is_sample = getattr(user, "is_sample", False)
        return super().user_can_authenticate(user) and (settings.DEBUG or not is_sample)
