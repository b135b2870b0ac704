"""A service profile fitted to the log of your own backup jobs."""

from vmbmodel.plan.calibrate.answer import SCHEMA, Calibration, Fit, calibrate
from vmbmodel.plan.calibrate.fits import LEVEL

__all__ = ["LEVEL", "SCHEMA", "Calibration", "Fit", "calibrate"]
