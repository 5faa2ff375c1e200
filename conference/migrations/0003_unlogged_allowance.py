from typing import Any

from django.db import migrations


def _set(how: str) -> Any:
    def run(apps: Any, schema_editor: Any) -> None:
        # SQLite has no unlogged tables, and does not wait for the disk at each commit.
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(f"ALTER TABLE conference_allowance SET {how}")

    return run


class Migration(migrations.Migration):
    dependencies = [
        ("conference", "0002_leaner_indexes"),
    ]

    operations = [migrations.RunPython(_set("UNLOGGED"), _set("LOGGED"))]
