"""Changing one's own password, and choosing a new one where it is forgotten.

Django's own views and tokens, with two changes: what follows a new password is an action of ours
(conference/passwords.py), and which addresses are known does not show.
"""

from datetime import timedelta
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.forms import PasswordChangeForm, SetPasswordForm
from django.contrib.auth.views import PasswordChangeView, PasswordResetConfirmView
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from conference import devices, passwords
from conference.errors import TooOften
from conference.limits import Limit, give_back, network_of, take, take_turn
from conference.models import User
from conference.pages.log_in import WithoutSamples
from conference.pages.tasks import mail_new_password
from tickets.forms import EmailForm

# In an hour: links asked for from one network (what exceeds that waits, for a few minutes at most),
# links to one address, and wrong old passwords of one person who is logged in.
LINKS_OF_A_NETWORK = 50
LINKS_TO_AN_ADDRESS = 3
TRIES_OF_A_PERSON = 20
HOUR = timedelta(hours=1)
LONGEST_LINKS_WAIT = timedelta(minutes=5)


class _InPlainWords:
    """What the new password must be in one line, where Django has a list of four."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields = self.fields  # type: ignore[attr-defined]
        fields["new_password1"].help_text = _(
            "Twelve characters or more, and not made of your name or what this site is about. "
            "Three or four words that have nothing to do with each other are good."
        )
        fields["new_password2"].label = _("New password again")
        fields["new_password2"].help_text = ""
        fields["new_password1"].error_messages["required"] = _("Enter a new password.")
        fields["new_password2"].error_messages["required"] = _("Enter the new password again.")


class _ChangeForm(_InPlainWords, PasswordChangeForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["old_password"].error_messages["required"] = _("Enter your old password.")


class _NewForm(_InPlainWords, SetPasswordForm):
    pass


class _Private:
    """A page that no cache keeps and no search engine lists."""

    def dispatch(self, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = super().dispatch(*args, **kwargs)  # type: ignore[misc]
        response["Cache-Control"] = "no-store, private"
        response["X-Robots-Tag"] = "noindex"
        return cast(HttpResponseBase, response)


class Change(_Private, PasswordChangeView):
    """Change one's own password, which the old one is needed for."""

    form_class = _ChangeForm
    template_name = "registration/password.html"
    http_method_names = ["get", "head", "post", "options"]

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not take(self._limit(), now=timezone.now()):
            raise TooOften
        return super().post(request, *args, **kwargs)

    def form_valid(self, form: PasswordChangeForm) -> HttpResponse:
        now = timezone.now()
        user = cast(User, self.request.user)
        give_back(self._limit(), now=now)
        passwords.change(user=user, password=form.cleaned_data["new_password1"], now=now)
        update_session_auth_hash(self.request, user)
        messages.success(self.request, _("Your password is changed."))
        response = redirect("conference:after_login")
        devices.remember(self.request, response, user)
        return response

    def _limit(self) -> Limit:
        return Limit("password", str(self.request.user.pk), TRIES_OF_A_PERSON, HOUR)


class New(_Private, PasswordResetConfirmView):
    """Choose a new password by the link in a mail. Its token leaves the address at once."""

    form_class = _NewForm
    template_name = "registration/new_password.html"
    http_method_names = ["get", "head", "post", "options"]

    def get_user(self, uidb64: str) -> User | None:
        user = super().get_user(uidb64)
        # Whoever may not log in chooses no password either.
        return user if WithoutSamples().user_can_authenticate(user) else None

    def form_valid(self, form: SetPasswordForm) -> HttpResponse:
        user = cast(User, self.user)
        passwords.change(user=user, password=form.cleaned_data["new_password1"], now=timezone.now())
        # Logged in by the new password, not by this page: a link alone opens no desk.
        messages.success(self.request, _("Your password is changed. Log in with it."))
        response = redirect("conference:login")
        devices.remember(self.request, response, user)
        return response


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def forgotten(request: HttpRequest) -> HttpResponse:
    """Mail somebody the link to choose a new password. The response is the same for any address."""
    form = EmailForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return render(request, "registration/password_forgotten.html", {"form": form})
    now = timezone.now()
    # Nobody is refused, or whoever asks all the time would shut this way for a whole hall.
    network = Limit("forgotten", network_of(request), LINKS_OF_A_NETWORK, HOUR)
    wait = min(take_turn(network, now=now), LONGEST_LINKS_WAIT)
    email = form.cleaned_data["email"]
    if take(Limit("forgotten", email, LINKS_TO_AN_ADDRESS, HOUR), now=now):
        mail_new_password.using(run_after=now + wait if wait else None).enqueue(email)
    return render(request, "registration/password_forgotten.html", {"form": form, "sent": True})
