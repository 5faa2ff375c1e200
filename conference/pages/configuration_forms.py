"""Forms of the configuration pages that are easier to fill in than Django's own."""

from typing import Any

from django import forms
from django.contrib.auth.forms import AdminPasswordChangeForm, BaseUserCreationForm, UserChangeForm
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from conference import money, passwords
from conference.models import User


class PresetsField(forms.CharField):
    """Sums of money as people write them, '5, 15, 30'; cleans to a list of pence."""

    def prepare_value(self, value: Any) -> Any:
        """Stored pence in pounds; submitted text unchanged."""
        if not isinstance(value, list):
            return value
        return ", ".join(money.format_pounds(pence).lstrip("£").replace(",", "") for pence in value)

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.prepare_value(initial) != data)

    def to_python(self, value: Any) -> Any:
        """The amounts in pence; the model checks how many there are and how large."""
        text = super().to_python(value) or ""
        try:
            return [money.parse_pounds(part) for part in text.split(",") if part.strip()]
        except money.NotAnAmount as error:
            raise ValidationError(
                _("Write the amounts in pounds with commas between them: 5, 15, 30.")
            ) from error


class ConferenceForm(forms.ModelForm):  # type: ignore[type-arg]
    """A conference, with its suggested gifts in pounds."""

    gift_presets = PresetsField(
        label=gettext_lazy("Suggested gifts"),
        help_text=gettext_lazy("One to six amounts in pounds, for instance 5, 15, 30."),
    )


class _EmailInLowerCase:
    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"].lower()  # type: ignore[attr-defined]
        others = User.objects.exclude(pk=self.instance.pk)  # type: ignore[attr-defined]
        if others.filter(email=email).exists():
            raise ValidationError(_("Somebody logs in with this address already."))
        return email


class NewUserForm(_EmailInLowerCase, BaseUserCreationForm):  # type: ignore[type-arg]
    """A new user."""

    class Meta:
        model = User
        fields = ("email",)


class UserForm(_EmailInLowerCase, UserChangeForm):  # type: ignore[type-arg]
    """An existing user."""

    class Meta:
        model = User
        fields = "__all__"
        field_classes: dict[str, type[forms.Field]] = {}


class OthersPasswordForm(AdminPasswordChangeForm):
    """A new password for somebody else, who is told by mail that it was changed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Django also offers to take the password away. Here an account is closed instead.
        self.fields.pop("usable_password", None)
        for name in ("password1", "password2"):
            self.fields[name].required = True

    def save(self, commit: bool = True) -> Any:
        password = self.cleaned_data["password1"]
        passwords.set_by_another(user=self.user, password=password, now=timezone.now())
        return self.user
