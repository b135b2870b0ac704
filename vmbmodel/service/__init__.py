"""What Azure Backup is and costs: sourced, dated and immutable."""

from vmbmodel._lazy import attach

__getattr__, __dir__ = attach(__name__, __file__)
