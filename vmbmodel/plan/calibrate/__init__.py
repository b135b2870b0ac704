"""A service profile fitted to the log of your own backup jobs."""

from vmbmodel.plan.calibrate.answer import SCHEMA, Calibration, Fit, calibrate

__all__ = ["SCHEMA", "Calibration", "Fit", "calibrate"]
