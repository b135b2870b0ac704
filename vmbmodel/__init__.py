"""An analytical model of Azure VM backup: time, deadline, restore and cost."""

from vmbmodel._lazy import attach

__version__ = "0.2.0"

__getattr__, __dir__ = attach(__name__, __file__)
