"""Static files: hashed names, and a list of them that nobody can fetch."""

import json
from pathlib import Path

from django.core.management import call_command
from pytest_django.fixtures import Settings

from conference.static_storage import HashedStaticFiles


def test_list_of_files_is_not_among_them(settings: Settings, tmp_path: Path) -> None:
    settings.STATIC_ROOT = tmp_path / "static"
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "conference.static_storage.HashedStaticFiles"}
    }
    call_command("collectstatic", interactive=False, verbosity=0)
    names = json.loads((tmp_path / "staticfiles.json").read_text())["paths"]
    script = names["tickets/door/door.js"]
    assert HashedStaticFiles().url("tickets/door/door.js") == f"/static/{script}"
    assert (tmp_path / "static" / script).is_file()
    assert list((tmp_path / "static").rglob("*.json*")) == []
    assert list((tmp_path / "static").rglob("*.map*")) == []
