"""Who may log in, and the form for it."""

from typing import Any

from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.forms import AuthenticationForm
from django.utils.translation import gettext_lazy as _


class WithoutSamples(ModelBackend):
    """Django's own log-in, which outside a trial does not know the sample people.

    Their passwords are printed at every start of a trial; a database that has them may one day
    be used for real. Sessions they began end as well.
    """

    def user_can_authenticate(self, user: AbstractBaseUser | None) -> bool:
        is_sample = getattr(user, "is_sample", False)
        return super().user_can_authenticate(user) and (settings.TRIAL or not is_sample)


class LogInForm(AuthenticationForm):
    """Django's own form; it says what to do about a wrong password."""

    error_messages = {
        "invalid_login": _("We do not know this address with this password. Check both."),
        "inactive": _("This account is closed. Ask an organiser."),
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].error_messages["required"] = _("Enter your e-mail address.")
        self.fields["password"].error_messages["required"] = _("Enter your password.")
