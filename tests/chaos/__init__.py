"""People book while every part of the service is killed; then everything is counted.

`python -m tests.chaos` is the long drill (`make chaos`), `test_chaos.py` one of 30 seconds.

- plan: how long it lasts, how many come, and what each of them wants
- visitors: what somebody does who books a place, and sends the form again after an error
- post_office: a mail server as a process, which keeps what it accepts
- databases: SQLite and PostgreSQL, and what can happen to them
- parts, service: the processes, one and all, started again as systemd would
- kills: what is done to all of it, one thing after the other
- drill: bookings and kills, then all at once, then peace
- within, counting: what is done and counted in the site's own settings
"""
