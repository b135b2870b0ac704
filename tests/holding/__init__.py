"""Cases whose results are held in ``tests/held``, and what writes them there.

``python tests/hold.py`` writes all files, ``python tests/hold.py schedule bill``
those two. A number here was computed by the package itself: it proves nothing, but it
says that something moved. What is right is told by the other tests.
"""

import importlib

from .cases import CASES, FOLDER, held, plain, write

__all__ = ["CASES", "FOLDER", "held", "plain", "write"]

_IN_ORDER = "formulas kernels estimates advice records edges sources"
for _name in _IN_ORDER.split():
    importlib.import_module(f".{_name}", __name__)
