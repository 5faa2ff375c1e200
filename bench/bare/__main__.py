"""`python -m bench.bare`: makes the bare server's tables and its one row."""

import os

os.environ["DJANGO_SETTINGS_MODULE"] = "bench.bare.settings"

import django
from django.db import connection

if __name__ == "__main__":
    django.setup()
    from bench.bare.models import Booking, Stock

    with connection.schema_editor() as editor:
        editor.create_model(Stock)
        editor.create_model(Booking)
    Stock.objects.create(pk=1, name="Places", left=10_000_000)
