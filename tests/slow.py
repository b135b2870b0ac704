"""Cases of a test of which `make test` tries the first, and `.ci/run` all."""

import pytest


def after(quick, cases):
    """Mark all cases but the first as slow; a case of several arguments is a tuple."""
    cases = [case if isinstance(case, tuple) else (case,) for case in cases]
    slow = [pytest.mark.slow]
    return [pytest.param(*c, marks=slow * (n >= quick)) for n, c in enumerate(cases)]
