"""Settings that hold for all tests."""

import os

from hypothesis import settings

# the machines are noisy: how long an example takes says nothing about the code
settings.register_profile("vmbmodel", deadline=None)
settings.load_profile("vmbmodel")

# so wide that sentences and tables stand in one line, whatever the terminal
os.environ["COLUMNS"] = "200"

collect_ignore = ["typing_use.py"]  # for a type checker; it asks for files of a user
