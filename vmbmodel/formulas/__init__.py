"""Numbers in, numbers out: formulas know no service, file or table.

Each formula has its home in a module of its family, and is here by its name as well.
"""

from vmbmodel._lazy import attach

__getattr__, __dir__ = attach(__name__, __file__)
