"""Quiet hours and public holidays, in the subscriber's own time."""

from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from subscribers import Quiet


def is_quiet(quiet: Quiet, now: datetime) -> bool:
    """Is it quiet now? `to` is no longer quiet; hours over midnight belong to the day they began on; equal times
    mean never. A public holiday is quiet all day, where the subscriber asked for that."""
    local = now.astimezone(ZoneInfo(quiet.tz))
    if quiet.holidays and local.date() in _free(quiet.holidays, local.year):
        return True
    clock = local.strftime("%H:%M")
    if quiet.start < quiet.end:
        inside, began = quiet.start <= clock < quiet.end, local
    elif quiet.start == quiet.end:
        return False
    else:
        inside = clock >= quiet.start or clock < quiet.end
        began = local if clock >= quiet.start else local - timedelta(days=1)
    return inside and (not quiet.days or began.isoweekday() in quiet.days)


@lru_cache(maxsize=256)
def _free(country: str, year: int) -> frozenset[date]:
    import holidays  # a tenth of a second, which few need

    return frozenset(holidays.country_holidays(country, years=year))
