"""Times as text: RFC 3339 UTC stamps, durations such as `90s`, and ages for people.

All of it is arithmetic: the clock that tells what time it is now is passed in elsewhere.

Next in the flow: `schema` checks stamps with it, everything that writes or shows a time formats it here.
"""

from __future__ import annotations

import re

from orange.core.problems import InvalidInput

_DAY = 86400
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": _DAY}
#: Seconds of 0001-01-01 and of 10000-01-01: what four digits can say.
_FIRST, _LAST = -62135596800.0, 253402300800.0
_STAMP = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
#: What orange writes itself, on days that every month has, as a regular expression: it needs no arithmetic.
USUAL_TIME = r"(?!0000)[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z"
_USUAL = re.compile(USUAL_TIME)


def stamp(seconds: float) -> str:
    """Format seconds since 1970 as RFC 3339 UTC, cut to whole seconds. Raises InvalidInput beyond the calendar."""
    if not _FIRST <= seconds < _LAST:
        raise InvalidInput("time", f"{seconds} is outside the years 1 to 9999")
    days, rest = divmod(int(seconds // 1), _DAY)
    year, month, day = _civil(days)
    return f"{year:04}-{month:02}-{day:02}T{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}Z"


def seconds(text: str) -> float:
    """Read an RFC 3339 time as seconds since 1970. Raises InvalidInput."""
    found = _seconds(text)
    if found is None:
        raise InvalidInput("time", f"{text!r} is not a time such as 2026-11-20T09:00:00Z")
    return found


def is_time(text: str) -> bool:
    """Whether `text` is an RFC 3339 time."""
    return _seconds(text) is not None


def normal(text: str) -> str | None:
    """Bring an RFC 3339 time into UTC, ending in Z; None when it is no time. Fractions are dropped with the offset."""
    if _USUAL.fullmatch(text):
        return text
    found = _seconds(text)
    return None if found is None or not _FIRST <= found < _LAST else stamp(found)


def _seconds(text: str) -> float | None:
    match = _STAMP.fullmatch(text)
    if not match or not _fields_fit(int(match[1]), match[2], match[3], text[11:19]):
        return None
    year, month, day, hour, minute, second = (int(match[i]) for i in range(1, 7))
    offset = _offset(match[8])
    if offset is None:
        return None
    whole = _days(year, month, day) * _DAY + hour * 3600 + minute * 60 + second - offset
    return whole + float(match[7] or 0)


def _fields_fit(year: int, month: str, day: str, clock: str) -> bool:
    """Whether the parts are in range; `clock` is HH:MM:SS. A leap second is in range."""
    if year == 0 or not "01" <= month <= "12" or not "01" <= day <= "31":
        return False
    if clock[:2] > "23" or clock[3:5] > "59" or clock[6:] > "60":
        return False
    return day <= "28" or int(day) <= _month_length(year, int(month))


def _month_length(year: int, month: int) -> int:
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in {4, 6, 9, 11} else 31


def _offset(zone: str) -> int | None:
    if zone in "Zz":
        return 0
    hours, minutes = int(zone[1:3]), int(zone[4:6])
    if hours > 23 or minutes > 59:
        return None
    return (hours * 3600 + minutes * 60) * (-1 if zone[0] == "-" else 1)


def _days(year: int, month: int, day: int) -> int:
    """Days from 1970-01-01; years are counted from March, so that the leap day is the last."""
    if month <= 2:
        year, month = year - 1, month + 12
    era, of_era = divmod(year, 400)
    of_year = (153 * (month - 3) + 2) // 5 + day - 1
    return era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468


def _civil(days: int) -> tuple[int, int, int]:
    """Turn days since 1970-01-01 back into year, month and day."""
    era, of_era = divmod(days + 719468, 146097)
    year = (of_era - of_era // 1460 + of_era // 36524 - of_era // 146096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    month = (5 * of_year + 2) // 153
    day = of_year - (153 * month + 2) // 5 + 1
    month = month + 3 if month < 10 else month - 9
    return era * 400 + year + (month <= 2), month, day


def duration(text: str) -> int:
    """Read a duration such as `90s`, `10m`, `2h` or `14d` as seconds. Raises InvalidInput."""
    if not is_duration(text):
        raise InvalidInput("duration", f"{text!r} is not a duration such as 90s, 10m, 2h or 14d")
    return int(text[:-1]) * _UNITS[text[-1]]


def is_duration(text: str) -> bool:
    """Whether `text` is a duration such as `90s`."""
    number = text[:-1]
    return text[-1:] in _UNITS and number.isascii() and number.isdigit() and len(number) <= 9


def duration_text(seconds: int) -> str:
    """Write seconds as a duration, in the largest unit that divides them."""
    for unit in "dhm":
        if seconds and seconds % _UNITS[unit] == 0:
            return f"{seconds // _UNITS[unit]}{unit}"
    return f"{seconds}s"


def age(seconds: float) -> str:
    """Say for people how long something lasts or has lasted: `12 s`, `3 min`, `5 h`, `3 d`."""
    whole = max(0, int(seconds))
    for limit, unit, word in ((60, 1, "s"), (3600, 60, "min"), (2 * _DAY, 3600, "h")):
        if whole < limit:
            return f"{whole // unit} {word}"
    return f"{whole // _DAY} d"
