"""Quiet hours, in the subscriber's own time."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from subscribers import Quiet


def is_quiet(quiet: Quiet, now: datetime) -> bool:
    """Is it quiet now? `to` is no longer quiet; hours over midnight belong to the day they began on; equal times
    mean never."""
    local = now.astimezone(ZoneInfo(quiet.tz))
    clock = local.strftime("%H:%M")
    if quiet.start < quiet.end:
        inside, began = quiet.start <= clock < quiet.end, local
    elif quiet.start == quiet.end:
        return False
    else:
        inside = clock >= quiet.start or clock < quiet.end
        began = local if clock >= quiet.start else local - timedelta(days=1)
    return inside and (not quiet.days or began.isoweekday() in quiet.days)
