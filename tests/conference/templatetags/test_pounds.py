"""Money in templates."""

import pytest

from conference.templatetags.pounds import pounds


@pytest.mark.parametrize(("pence", "shown"), [(1500, "£15"), (1550, "£15.50"), (None, "")])
def test_pounds_writes_money_as_people_read_it(pence: int | None, shown: str) -> None:
    assert pounds(pence) == shown
