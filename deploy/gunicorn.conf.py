"""How the web server runs, here and in production: `gunicorn -c deploy/gunicorn.conf.py`."""

import gc
import os
import sys
from concurrent.futures import Future
from typing import Any

from gunicorn.workers.gthread import _DEFER, ThreadWorker

LOOK_AGAIN = 0.05  # seconds
# What gunicorn itself says of a connection that has kept a thread waiting in vain.
SAYS_NOTHING_YET: Future[Any] = Future()
SAYS_NOTHING_YET.set_result(_DEFER)


class Worker(ThreadWorker):  # type: ignore[misc]
    """gunicorn's own, but that it leaves newcomers to another process while it has its hands full.

    Whichever process wakes first would take most of those who come at once, and they would wait
    behind each other while another process has nothing to do. Nor does it give a thread to a
    connection that says nothing: browsers open some in advance.
    """

    @property
    def worker_connections(self) -> int:
        """How many connections there may be; gunicorn asks before it accepts another one."""
        # gunicorn reads this file before the site's own modules can be found.
        from conference import turns  # noqa: PLC0415 (see above)

        requests = self.nr_conns - len(self.keepalived_conns) - len(self.pending_conns)
        has_room = requests < self.cfg.threads and turns.have_room_for(requests)
        return self._most_connections if has_room else 0

    @worker_connections.setter
    def worker_connections(self, most: int) -> None:
        self._most_connections = most

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """Look again soon while there is no room: who goes to wait for Stripe does not tell."""
        super().wait_for_and_dispatch_events(timeout if self._accepting else LOOK_AGAIN)

    def enqueue_req(self, conn: Any) -> None:
        """Give a connection to a thread once it has something to say, a new one as well."""
        if conn.initialized or conn.data_ready:
            super().enqueue_req(conn)
        else:
            self.finish_request(conn, SAYS_NOTHING_YET)


wsgi_app = "conference.wsgi"
bind = f"{os.environ.get('HOST', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"
worker_class = Worker
workers = int(os.environ.get("WEB_WORKERS", "2"))
# Of these two are at work (conference/turns.py); the others wait for them, or for Stripe.
threads = int(os.environ.get("WEB_THREADS", "8"))
# The application is read once and shared by the workers: a quicker start, less memory.
preload_app = True
# A stop lets requests finish, one that waits for Stripe among them.
graceful_timeout = 25
# A call to Stripe may take 20 s; a worker that is silent for longer than this is replaced.
timeout = 60
keepalive = 5
# Heartbeats of the workers are files; on a disk they can stall.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None
control_socket_disable = True
loglevel = "warning"


def when_ready(server: Any) -> None:
    """Before the workers are forked: what is loaded by now stays; nobody looks through it again."""
    gc.collect()
    gc.freeze()


def post_fork(server: Any, worker: Any) -> None:
    """In each worker: threads take turns sooner.

    Whoever writes to the database gives way at each statement, and would get its turn back only
    after 5 ms while others wait for its lock.
    """
    sys.setswitchinterval(0.0005)
