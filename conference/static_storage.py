"""How static files are stored and named."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStaticFiles(CompressedManifestStaticFilesStorage):
    """Compressed files with a hash of their content in the name, also in imports between scripts.

    Without the hash in imports, a new script could load an old one from the browser's cache.
    """

    support_js_module_import_aggregation = True
