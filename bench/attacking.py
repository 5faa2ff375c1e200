"""How soon honest people are answered while somebody floods the site."""

import time
from typing import Any

from bench.client import HOST, Failed
from bench.stage import Stage
from tests.floods import FLOODS, HONEST, Person, slowest_of_ten


def floods(stage: Stage) -> dict[str, Any]:
    """The slowest of ten sign-ups during each flood, in seconds, with the limits of a real site."""
    site = stage.site()
    slowest = {}
    with site.web(LIMIT_FACTOR="1"):
        address = f"http://{HOST}:{site.port}"
        for send in FLOODS:
            people = [Person(address) for _ in range(HONEST)]
            time.sleep(1.1)  # a form that is sent sooner has to be sent again
            took, said, _seen = slowest_of_ten(send, address, people)
            if said != {"Look in your e-mail"}:
                raise Failed(f"during {send.__name__}: {said}")
            slowest[send.__name__] = round(took, 2)
    return {"slowest_s": max(slowest.values()), **slowest}
