"""An analytical model of Azure VM backup: time, deadline, restore and cost."""

__version__ = "0.1.0"
