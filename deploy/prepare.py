"""Migrates the database of a trial and adds the sample data, in one process."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "conference.settings")

import django
from django.core.management import call_command

if __name__ == "__main__":
    django.setup()
    call_command("migrate", interactive=False, verbosity=0)
    call_command("demo")
