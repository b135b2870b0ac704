"""Settings that hold for all tests."""

import os

from hypothesis import settings

# The machines are noisy: how long an example takes says nothing about the code. A gate
# says the same of the same tree each time, so its examples are drawn alike;
# TESTS=search draws others.
settings.register_profile("quick", deadline=None, derandomize=True, max_examples=30)
settings.register_profile("all", deadline=None, derandomize=True)
settings.register_profile("search", deadline=None)
asked = os.environ.get("TESTS")
settings.load_profile(asked if asked in ("all", "search") else "quick")

# so wide that sentences and tables stand in one line, whatever the terminal
os.environ["COLUMNS"] = "200"

collect_ignore = ["typing_use.py"]  # for a type checker; it asks for files of a user
