"""The log-in, and the limits on failed attempts."""

import unicodedata
from datetime import timedelta
from typing import Any, cast

from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from conference.errors import TooOften
from conference.limits import Limit, are_spent, network_of, take
from conference.models import User

# Failed log-ins allowed in a quarter of an hour: for one address from one network, for all
# addresses from one network, and for one address from all networks. The last is high, because
# anybody who uses it up locks out the owner of the address.
FAILED_HERE = 10
FAILED_OF_A_NETWORK = 50
FAILED_OF_AN_ADDRESS = 100


class WithoutSamples(ModelBackend):
    """Django's own authentication, which outside a trial refuses the sample users.

    Their passwords are public, and the database of a trial may one day be used for real. Their
    sessions end as well.
    """

    def user_can_authenticate(self, user: AbstractBaseUser | None) -> bool:
        is_sample = getattr(user, "is_sample", False)
        return super().user_can_authenticate(user) and (settings.TRIAL or not is_sample)


class LogInForm(AuthenticationForm):
    """Django's own form with messages that say what to do."""

    error_messages = {
        "invalid_login": _("We do not know this address with this password. Check both."),
        "inactive": _("This account is closed. Ask an organiser."),
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].error_messages["required"] = _("Enter your e-mail address.")
        self.fields["password"].error_messages["required"] = _("Enter your password.")


class Login(LoginView):
    """Log-in for organisers and door volunteers. Only failed attempts are counted."""

    redirect_authenticated_user = True
    authentication_form = LogInForm

    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        if are_spent(self._limits(), now=timezone.now()):
            raise TooOften
        return super().post(request, *args, **kwargs)

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        take(*self._limits(), now=timezone.now())
        return super().form_invalid(form)

    def _limits(self) -> list[Limit]:
        quarter = timedelta(minutes=15)
        network = network_of(self.request)
        # Normalised as the form does it, so that other forms of Unicode count as the same address.
        typed = unicodedata.normalize("NFKC", self.request.POST.get("username", ""))
        address = typed.strip().lower()
        return [
            Limit("login here", f"{network} {address}", FAILED_HERE, quarter),
            Limit("login", network, FAILED_OF_A_NETWORK, quarter),
            Limit("login as", address, FAILED_OF_AN_ADDRESS, quarter),
        ]


@login_required
@require_safe
def after_login(request: HttpRequest) -> HttpResponse:
    """Organisers go to their desk, volunteers to the door."""
    user = cast(User, request.user)
    if user.is_organiser:
        return redirect("desk:home")
    if user.is_at_door:
        return redirect("door:gates")
    raise PermissionDenied
