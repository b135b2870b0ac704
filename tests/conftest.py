"""Settings that hold for all tests."""

import os

from hypothesis import settings

# the machines are noisy: how long an example takes says nothing about the code
settings.register_profile("quick", deadline=None, max_examples=30)
settings.register_profile("all", deadline=None)
settings.load_profile("all" if os.environ.get("TESTS") == "all" else "quick")

# so wide that sentences and tables stand in one line, whatever the terminal
os.environ["COLUMNS"] = "200"

collect_ignore = ["typing_use.py"]  # for a type checker; it asks for files of a user
