"""Django's own backend, but that DEBUG costs nothing."""

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    """Keeps the text of statements only where a test asks: our pages never show it."""

    @property
    def queries_logged(self) -> bool:
        return bool(self.force_debug_cursor)
