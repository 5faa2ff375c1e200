"""Floods: somebody sends all they can, and ten people sign up for the Bulletin meanwhile.

They share the attacker's network, as people in one hall do. Each of them must be answered within
two seconds, with the page that says that a mail is on its way: what is refused counts for nobody
else.
"""

import time
from collections.abc import Iterator

import pytest
from django_tasks_db.models import DBTaskResult

from tests.factories import make_conference, make_user
from tests.floods import FLOODS, HONEST, SENDERS, Person, slowest_of_ten
from tests.running_site import running_site

ANSWERED_WITHIN = 2.0  # seconds, the slowest of ten


@pytest.fixture
def site(process_env: dict[str, str]) -> Iterator[str]:
    """The running site, with the limits of a real one."""
    make_conference(slug="flooded")
    make_user(email="organiser0@example.org")
    with running_site(process_env | {"LIMIT_FACTOR": "1"}) as (address, _server):
        yield address


@pytest.mark.django_db(transaction=True)
def test_ten_people_sign_up_within_two_seconds_each_during_any_flood(site: str) -> None:
    slowest, said, statuses = {}, {}, {}
    people = {send: [Person(site) for _ in range(HONEST)] for send in FLOODS}
    time.sleep(1.1)  # people take longer over the form
    for send in FLOODS:
        name = send.__name__
        slowest[name], said[name], statuses[name] = slowest_of_ten(send, site, people[send])
    print(slowest, statuses)  # shown if the test fails
    assert said == {send.__name__: {"Look in your e-mail"} for send in FLOODS}
    assert {name: took for name, took in slowest.items() if took > ANSWERED_WITHIN} == {}
    assert [status for seen in statuses.values() for status in seen if status >= 500] == []
    assert [name for name, seen in statuses.items() if sum(seen.values()) < SENDERS] == []
    written = DBTaskResult.objects.filter(task_path="signup.tasks.sign_up")
    assert written.filter(args_kwargs__icontains="honest").count() == HONEST * len(FLOODS)
