"""Parties that all want a place at once: `python -m tests.rush CONFERENCE_PK THREADS TRIES`.

Waits for a line on its standard input, so that several processes begin together, and prints how
often each thing happened, as JSON.
"""

import json
import sys
import threading
import uuid
from collections import Counter

import django


def rush(conference_pk: int, threads: int, tries: int) -> Counter[str]:
    """How many of `threads` times `tries` parties of one were told what."""
    # Models cannot be imported before django.setup(), which is called below.
    from django.db import connection  # noqa: PLC0415 (see above)
    from django.utils import timezone  # noqa: PLC0415 (see above)

    from conference.models import Conference  # noqa: PLC0415 (see above)
    from tickets import actions  # noqa: PLC0415 (see above)

    told: Counter[str] = Counter()
    conference = Conference.objects.get(pk=conference_pk)
    place = actions.Place(conference.ticket_types.get().pk, "Ada")

    def party() -> None:
        for _ in range(tries):
            try:
                actions.reserve(
                    conference=conference,
                    name="Ada",
                    email="ada@example.org",
                    places=[place],
                    gift_pence=0,
                    submission=uuid.uuid4(),
                    now=timezone.now(),
                )
            except Exception as error:
                told[type(error).__name__] += 1
            else:
                told["reserved"] += 1
        connection.close()

    started = [threading.Thread(target=party) for _ in range(threads)]
    connection.ensure_connection()
    print("ready", flush=True)
    sys.stdin.readline()
    for thread in started:
        thread.start()
    for thread in started:
        thread.join()
    return told


if __name__ == "__main__":
    django.setup()
    print(json.dumps(rush(*(int(word) for word in sys.argv[1:]))))
