"""Django's backend for PostgreSQL, for a trial as quick as the real thing."""
