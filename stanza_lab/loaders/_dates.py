"""Times as people and spreadsheets write them; which of the first two numbers is the day is decided per column."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any

from stanza_lab.loaders import _times

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = r"(?P<month>(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*)\.?"
_CLOCK = (
    r"(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,](?P<fraction>\d{1,9}))?)?"
    r"(?:\s?(?P<half>[ap])\.?m\.?(?![a-z]))?"
)
_ZONE = r"(?:\s?(?P<zone>z|(?:utc|gmt)?[+-]\d\d:?\d\d|[a-z]{3,5})(?:\s(?:[a-z]{3,5}|\([^)]*\)))?)?"
_BETWEEN = r"(?:,?\s(?:at\s|-\s)?|t|_)"
_WEEKDAY = r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,?\s)?"
_NUMBERS = r"(?P<one>\d{1,2})(?P<mark>[/.-])(?P<two>\d{1,2})(?P=mark)(?P<year>\d{4}|\d\d)"
_FORMS = tuple(
    re.compile(_WEEKDAY + form, re.IGNORECASE | re.ASCII)
    for form in (
        rf"{_NUMBERS}{_BETWEEN}{_CLOCK}{_ZONE}",
        rf"(?P<year>\d{{4}})[/.-](?P<number>\d{{1,2}})[/.-](?P<day>\d{{1,2}}){_BETWEEN}{_CLOCK}{_ZONE}",
        rf"(?P<day>\d{{1,2}})[\s/.-]{{1,2}}{_MONTH}[\s/,-](?P<year>\d{{4}}|\d\d){_BETWEEN}{_CLOCK}{_ZONE}",
        rf"{_MONTH}\s(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?\s(?P<year>\d{{4}}){_BETWEEN}{_CLOCK}{_ZONE}",
        rf"{_MONTH}\s(?P<day>\d{{1,2}})\s{_CLOCK}{_ZONE}\s(?P<year>\d{{4}})",
    )
)
_LEADING = re.compile(_NUMBERS + r"(?!\d)", re.ASCII)
_NUMBER = re.compile(r"\d+(?:[.,]\d+)?", re.ASCII)
_DAY = re.compile(rf"(?:{_NUMBERS}|\d{{4}}[/.-]\d{{1,2}}[/.-]\d{{1,2}})", re.ASCII)


def read(value: Any, *, tz: tzinfo | None = None, order: str | None = None) -> int | None:
    """Return `value` as microseconds since 1970, None for "no time"; all that `_times.read` reads, and more forms.

    `order` says what comes first in dates such as 05/06/2024: "day" or "month". Without it they are read where one of
    the two is no month, or both are equal, and refused where they can be read both ways.

    Raises
    ------
    ValueError
        The value is not a time, is one of several, or has no zone.
    """
    if not isinstance(value, str):
        return _times.read(value, tz=tz)
    text = " ".join(value.split())
    if _NUMBER.fullmatch(text):
        return _times.read(text.replace(",", "."), tz=tz)
    if re.fullmatch(r"[\d.,]+[eE]\+?\d+", text):
        raise ValueError(f"{text[:40]!r} lost its last digits in a spreadsheet; export the column as text")
    for form in _FORMS:
        if match := form.fullmatch(text):
            at = _written(text, match.groupdict(), tz, order)
            return _times.read(str(at), tz=UTC)
    if _DAY.fullmatch(text):
        raise ValueError(f"{text!r} is a day, not a time")
    return _times.read(text, tz=tz)


def is_time(value: Any) -> bool:
    """Return whether `value` looks like a time or a day, in whatever zone and order."""
    try:
        return isinstance(value, (str, int, float)) and read(value, tz=UTC, order=None) is not None
    except ValueError as error:
        return " is a day" in str(error) or " first?" in str(error) or "names the zone" in str(error)


def order_of(values: Iterable[Any]) -> str | None:
    """Return what comes first in the dates of one column: "day" or "month"; None where nothing or both tell."""
    seen = set()
    for value in values:
        if isinstance(value, str) and (match := _LEADING.match(value.strip())):
            one, two = int(match["one"]), int(match["two"])
            if max(one, two) > 12 >= min(one, two):
                seen.add("day" if one > 12 else "month")
    return seen.pop() if len(seen) == 1 else None


def _written(text: str, found: dict[str, str | None], tz: tzinfo | None, order: str | None) -> int:
    """Return the time a form found in `text`, as microseconds since 1970."""
    if found.get("one"):
        day, month = _day_and_month(text, int(found["one"] or 0), int(found["two"] or 0), found["mark"], order)
    else:
        day = int(found["day"] or 0)
        named = found.get("month")
        month = _MONTHS.index(named[:3].lower()) + 1 if named else int(found.get("number") or 0)
    year = int(found["year"] or 0)
    hour = int(found["hour"] or 0)
    if found["half"]:
        if not 1 <= hour <= 12:
            raise ValueError(f"{text[:40]!r} is not a time: {hour} o'clock has no AM or PM")
        hour = hour % 12 + 12 * (found["half"].lower() == "p")
    microsecond = int((found["fraction"] or "0").ljust(6, "0")[:6])
    try:
        at = datetime(  # noqa: DTZ001  (the zone follows)
            year + 2000 if year < 100 else year,
            month,
            day,
            hour,
            int(found["minute"] or 0),
            int(found["second"] or 0),
            microsecond,
        )
    except ValueError as error:
        raise ValueError(f"{text[:40]!r} is not a time ({error})") from None
    at = at.replace(tzinfo=_zone(text, at, found["zone"], tz))
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def _day_and_month(text: str, one: int, two: int, mark: str | None, order: str | None) -> tuple[int, int]:
    """Return day and month of two numbers: by what they can be, else by `order`; with dots the day comes first."""
    possible = {"day": two <= 12, "month": one <= 12}
    if order is None and mark == "." and possible["day"]:
        order = "day"
    if order is not None:
        if not possible[order]:
            raise ValueError(f"{text[:40]!r} is no date with the {order} first, as the others of its column are")
    elif all(possible.values()) and one != two:
        raise ValueError(
            f"{text[:40]!r}: day or month first? Nothing in its column tells; "
            f"pass dayfirst=True (day {one} of month {two}) or dayfirst=False (day {two} of month {one})"
        )
    else:
        order = "day" if possible["day"] else "month"
    return (one, two) if order == "day" else (two, one)


def _zone(text: str, at: datetime, zone: str | None, tz: tzinfo | None) -> tzinfo:
    word = (zone or "").upper()
    if word in ("Z", "UTC", "GMT"):
        return UTC
    if word[-1:].isdigit():
        sign, hours, minutes = re.fullmatch(r"\D*([+-])(\d\d):?(\d\d)", word).groups()  # type: ignore[union-attr]
        offset = timedelta(hours=int(hours), minutes=int(minutes))
        return timezone(offset if sign == "+" else -offset)
    if tz is None and not word:
        raise ValueError(f"{text[:40]!r} has no zone; pass tz=, for example tz='Europe/Berlin'")
    # An abbreviation means several zones; it is believed where it is one of the zone that was passed.
    if word and (tz is None or word not in {at.replace(tzinfo=tz, fold=fold).tzname() for fold in (0, 1)}):
        raise ValueError(
            f"{text[:40]!r} names the zone {word}, of which there are several; pass tz= with the one meant"
        )
    return tz or UTC
