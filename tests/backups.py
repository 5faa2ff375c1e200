"""A backup of the test's database, taken and put back row by row, so that it works on both."""

from django.apps import apps
from django.db import connection, models

_APPS = ("conference", "signup", "donations", "tickets", "django_tasks_database")

Backup = dict[type[models.Model], list[models.Model]]


def _kept() -> list[type[models.Model]]:
    return [model for name in _APPS for model in apps.get_app_config(name).get_models()]


def take_backup() -> Backup:
    """All rows as they are now."""
    return {model: list(model._base_manager.all()) for model in _kept()}


def put_back(backup: Backup) -> None:
    """Make the database what it was: what has come since is gone."""
    # Foreign keys are checked at the end of the transaction, so no order is needed.
    with connection.cursor() as cursor:
        for model in _kept():
            cursor.execute(f'DELETE FROM "{model._meta.db_table}"')
    for model, rows in backup.items():
        model._base_manager.bulk_create(rows)
