"""What to install where a package is missing that an extra brings."""

import re
from functools import cache
from importlib.metadata import PackageNotFoundError, requires

__all__ = ["remedy"]

_OF_AN_EXTRA = re.compile(r"""([\w.-]+).*;.*\bextra == ["']([\w-]+)["']""")


def remedy(error: ModuleNotFoundError) -> str | None:
    """Say what is missing and what brings it; None if no extra does.

    Examples
    --------
    >>> remedy(ModuleNotFoundError(name="vmbmodel.typo"))
    """
    module = (error.name or "").partition(".")[0]
    extra = _extras().get(module)
    return extra and f"{module}: pip install 'vmbmodel[{extra}]'"


@cache
def _extras() -> dict[str, str]:
    """Return by module the first extra that brings it, as this package declares."""
    try:
        lines = requires("vmbmodel") or []
    except PackageNotFoundError:  # a source tree that nobody installed
        return {}
    found = {}
    for line in lines:
        if (match := _OF_AN_EXTRA.match(line)) and match[1] != "vmbmodel":
            found.setdefault(match[1].replace("-", "_"), match[2])
    return found
