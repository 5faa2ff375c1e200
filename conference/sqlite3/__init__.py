"""Django's SQLite with a queue before its one write lock; named as ENGINE in the settings."""
