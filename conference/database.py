"""How a database that cannot be used right now shows itself."""

from django.db import InterfaceError, OperationalError

# Locked, restarting, out of reach, or out of disk space: the same may work a moment later.
AWAY = (OperationalError, InterfaceError)
