"""Those who log in."""

from typing import Any, ClassVar

from django.contrib.auth.base_user import BaseUserManager
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy as _


class UserManager(BaseUserManager["User"]):
    """Creates users, who log in by e-mail address."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Create a user with this address; without a password they cannot log in."""
        user = self.model(email=email.lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> "User":
        """The user with this address, whatever its case and the spaces around it."""
        return self.get(email=(username or "").strip().lower())

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Create an organiser who may change the settings, and whom only their like may change."""
        rights = {"role": User.Role.ORGANISER, "may_configure": True, "is_superuser": True}
        fields = rights | fields
        return self.create_user(email, password, **fields)


class User(AbstractUser):
    """Someone who logs in: an organiser, or a volunteer at the door.

    What they may do follows from `role` and `may_configure`. `is_superuser` gives nothing more: it
    protects an account from everybody else who may change the settings, and is given on the server
    alone, by `manage.py createsuperuser`.
    """

    class Role(models.TextChoices):
        ORGANISER = "organiser", _("Organiser")
        VOLUNTEER = "volunteer", _("Door volunteer")

    username = None  # type: ignore[assignment]
    email = models.EmailField(_("e-mail"), unique=True)
    role = models.CharField(_("role"), max_length=20, choices=Role, default=Role.VOLUNTEER)
    may_configure = models.BooleanField(
        _("may change the settings"),
        default=False,
        help_text=_("For organisers: these pages, and who may log in."),
    )
    # When an organiser closed the account; None for one that is open.
    closed_at = models.DateTimeField(null=True, editable=False)
    # Created by `manage.py demo`, with a password that is public.
    is_sample = models.BooleanField(default=False, editable=False)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects: ClassVar[UserManager] = UserManager()  # type: ignore[assignment]

    def __str__(self) -> str:
        return self.get_full_name() or self.email

    @property
    def is_organiser(self) -> bool:
        return self.is_active and self.role == self.Role.ORGANISER

    @property
    def is_staff(self) -> bool:  # type: ignore[override]
        """Whether Django's admin, the settings pages, is open to this person."""
        return self.is_organiser and self.may_configure

    @property
    def is_at_door(self) -> bool:
        """Whether this person may scan: volunteers and organisers."""
        return self.is_active and self.role in (self.Role.VOLUNTEER, self.Role.ORGANISER)
