"""``python -m vmbmodel``."""

from vmbmodel.cli import main

main()
