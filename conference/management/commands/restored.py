"""`manage.py restored`: say that the database is a restored backup, before the services start."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from tickets.actions import restoring


class Command(BaseCommand):
    help = "Withhold what was waiting in a restored backup, until an organiser has answered."

    def handle(self, *args: Any, **options: Any) -> None:
        if restoring.say_restored(now=timezone.now()):
            self.stdout.write(
                "Noted. What was waiting to be sent waits for an answer at the desk, at "
                "'To look at'."
            )
        else:
            self.stdout.write("This is known already. Nothing was changed.")
