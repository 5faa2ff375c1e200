"""`manage.py erase ADDRESS`: erase a person's data at their request."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from tickets import actions


class Command(BaseCommand):
    help = "Take a person's names and address out of everything that is kept."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("address", help="The e-mail address they used.")

    def handle(self, *args: Any, address: str, **options: Any) -> None:
        try:
            orders = actions.erase_person(email=address, now=timezone.now())
        except actions.StillToCome as error:
            raise CommandError(
                "This person has a place at a conference that is not over. Cancel it first."
            ) from error
        self.stdout.write(f"Erased, with {orders} orders. The Bulletin never goes there again.")
