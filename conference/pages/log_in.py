"""The log-in: who may, and how long somebody waits after wrong tries."""

import logging
import math
from datetime import timedelta
from typing import Any, cast

from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from conference import devices
from conference.limits import Limit, Wait, forget, give_back, network_of, take, wait_or_count
from conference.models import User
from conference.pages import idle
from conference.spelling import normal

logger = logging.getLogger(__name__)

# Wrong tries in a quarter of an hour on a device that is known; after them it is one like others.
TRIES_ON_A_DEVICE = 10
# Wrong tries from elsewhere before there is a wait: for one address from one network, for all
# addresses from one network, and for one address from everywhere. The last two are waits for people
# who did nothing wrong, so they are never long.
FREE_HERE = 5
FREE_FOR_A_NETWORK = 50
FREE_FOR_AN_ADDRESS = 100


class WithoutSamples(ModelBackend):
    """Django's own authentication, which outside a trial refuses the sample users.

    Their passwords are public, and the database of a trial may one day be used for real. Their
    sessions end as well.
    """

    def user_can_authenticate(self, user: AbstractBaseUser | None) -> bool:
        is_sample = getattr(user, "is_sample", False)
        return super().user_can_authenticate(user) and (settings.TRIAL or not is_sample)

    def has_perm(self, user_obj: User, perm: str, obj: object = None) -> bool:  # type: ignore[override]
        """Django's tables of permissions are not used: the settings are open as a whole."""
        return user_obj.is_staff

    def has_module_perms(self, user_obj: User, app_label: str) -> bool:  # type: ignore[override]
        return user_obj.is_staff


class LogInForm(AuthenticationForm):
    """Django's own form with messages that say what to do."""

    error_messages = {
        "invalid_login": _("That e-mail address and password do not match. Check both."),
        "inactive": _("This account is closed. Ask an organiser."),
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].error_messages["required"] = _("Enter your e-mail address.")
        self.fields["password"].error_messages["required"] = _("Enter your password.")
        if self.initial.get("username"):
            del self.fields["username"].widget.attrs["autofocus"]
            self.fields["password"].widget.attrs["autofocus"] = True


class Login(LoginView):
    """Log-in for organisers and door volunteers.

    A try on a device where this person has logged in before is counted for the device alone, so
    nobody is shut out by what strangers try. Everybody else waits longer after each wrong try,
    whether the address is known or not.
    """

    authentication_form = LogInForm
    counted: tuple[Limit | Wait, ...] = ()

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if request.user.is_authenticated and not self._has_ended():
            return redirect(self.get_success_url())
        return super().dispatch(request, *args, **kwargs)

    def get_initial(self) -> dict[str, Any]:
        return {"username": getattr(self.request.user, "email", "")}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(has_ended=self._has_ended(), **kwargs)

    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        # Normalised as the form does it, so that other forms of Unicode count as the same address.
        typed = normal("NFKC", request.POST.get("username", ""))
        if typed.strip() and request.POST.get("password"):
            left = self._count(typed.strip().lower())
            if left:
                return self._wait(left, typed)
        return super().post(request, *args, **kwargs)

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        now = timezone.now()
        give_back(*self.counted, now=now)
        if isinstance(self.counted[0], Wait):
            forget(self.counted[0], now=now)
        user = cast(User, form.get_user())
        if user == self.request.user:
            # Again, in the same session: forms that are open in other tabs stay good.
            self.request.session.cycle_key()
            response = redirect(self.get_success_url())
        else:
            response = super().form_valid(form)
        self.request.session.set_expiry(timedelta(seconds=settings.SESSION_COOKIE_AGE))
        idle.note_use(self.request, now=now)
        devices.remember(self.request, response, user)
        logger.info("user %s has logged in", user.pk)
        return response

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        # The address is not logged: it may be a password typed into the wrong field.
        logger.warning("a log-in has failed")
        return super().form_invalid(form)

    def _has_ended(self) -> bool:
        """Whether an organiser came here because nobody has used the desk for an hour."""
        is_organiser = getattr(self.request.user, "is_organiser", False)
        return is_organiser and idle.has_ended(self.request, now=timezone.now())

    def _count(self, address: str) -> timedelta:
        """Count a try with this address, as a wrong one for now. Returns how long to wait first."""
        now = timezone.now()
        on_device = self._on_known_device(address)
        if on_device and take(on_device, now=now):
            self.counted = (on_device,)
            return timedelta()
        self.counted = waits = _waits(network_of(self.request), address)
        return wait_or_count(*waits, now=now)

    def _on_known_device(self, address: str) -> Limit | None:
        user = devices.is_known(self.request) and User.objects.filter(email=address).first()
        number = devices.number_of(self.request, user) if user else None
        if number is None:
            return None
        return Limit("login on", number, TRIES_ON_A_DEVICE, timedelta(minutes=15))

    def _wait(self, left: timedelta, typed: str) -> HttpResponse:
        """The form again, without a look at the password, and how long to wait."""
        seconds = math.ceil(left.total_seconds())
        form = LogInForm(self.request, initial={"username": typed})
        context = self.get_context_data(form=form, seconds=seconds, minutes=math.ceil(seconds / 60))
        response = self.render_to_response(context, status=429)
        response["Retry-After"] = str(seconds)
        return response


def _waits(network: str, address: str) -> tuple[Wait, ...]:
    minute, quarter, hour = (timedelta(minutes=minutes) for minutes in (1, 15, 60))
    return (
        Wait("login here", f"{network} {address}", FREE_HERE, quarter, hour),
        Wait("login", network, FREE_FOR_A_NETWORK, minute, quarter),
        Wait("login as", address, FREE_FOR_AN_ADDRESS, minute, quarter),
    )


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
