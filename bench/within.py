"""`python -m bench.within MODULE FUNCTION JSON`: calls a function in a site's settings.

JSON holds its keyword arguments. What it returns is printed as JSON.
"""

import importlib
import json
import os
import sys

import django

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "conference.settings")
    django.setup()
    module, function, arguments = sys.argv[1:]
    call = getattr(importlib.import_module(module), function)
    print(json.dumps(call(**json.loads(arguments))))
