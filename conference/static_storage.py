"""How static files get their addresses."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStaticFiles(CompressedManifestStaticFilesStorage):
    """Compressed, and named by their content, also where one script imports another.

    Without the latter a new script could meet an old one from the browser's cache.
    """

    support_js_module_import_aggregation = True
