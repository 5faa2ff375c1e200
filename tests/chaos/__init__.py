"""People book while every part of the service is killed; then everything is counted.

python -m tests.chaos      the long drill, which ends in a table (`make chaos`)
test_chaos.py              the same for 30 seconds, on the database that the tests run on

plan                       how long, how many, and who the visitors are
visitors                   what somebody does who books a place, and sends the form again
post_office                a mail server as a process, which keeps what it accepts
parts                      the service's processes, started again as systemd would
databases                  SQLite and PostgreSQL, and what can happen to them
drill                      all of it: bookings and kills, a power cut, and peace again
within, counting           what is done and counted inside, in the site's own settings
"""
