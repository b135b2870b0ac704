"""The day it is, for a reader of the clock that builds can stop."""

import datetime
import os

from vmbmodel._words import short

__all__ = ["today"]


def today() -> datetime.date:
    """Return the local day, or that of ``SOURCE_DATE_EPOCH`` in UTC if it is set.

    Raises
    ------
    ValueError
        If that is no number of seconds.
    """
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    if epoch is None:
        return datetime.date.today()
    try:
        return datetime.datetime.fromtimestamp(int(epoch), datetime.UTC).date()
    except (ValueError, OverflowError, OSError):
        raise ValueError(
            f"SOURCE_DATE_EPOCH must be a number of seconds; got {short(epoch)}"
        ) from None
