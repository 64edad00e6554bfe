"""Words and URLs → times as intervals in UTC, without guessing.

A date is taken as written or not at all: impossible ones ("2025-13-45") are not repaired, relative
words ("yesterday", "2 hours ago") never count, and numbers whose order is unknown ("03/04/2025")
need the caller to say it. Nothing depends on the locale, the current time or the machine's zone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from aidivide_archive.model import TimeValue

EARLIEST = datetime(1995, 1, 1, tzinfo=UTC)
"""No news site is older; earlier dates are defaults of content systems."""
FUTURE_TOLERANCE = timedelta(days=2)
"""A time may lie this far after the fetch: zones and wrong clocks, not announcements."""
_MAX_LENGTH = 300

_MONTH_NAMES = (
    "january jan januar janvier janv enero ene janeiro gennaio gen januari stycznia styczeń "
    "ocak января января січня ιανουαρίου januára ledna jänner tammikuu يناير",
    "february feb februar février févr fév febrero fevereiro fev febbraio februari lutego "
    "şubat февраля лютого φεβρουαρίου února feber فبراير",
    "march mar märz mrz mars marzo março marco maart marca mart марта березня μαρτίου března "
    "maret مارس",
    "april apr avril avr abril abr aprile kwietnia nisan апреля квітня απριλίου dubna أبريل ابريل",
    "may mai mayo maio maggio mag mei maj maja mayıs мая травня μαΐου května مايو",
    "june jun juni juin junio junho giugno giu czerwca haziran июня червня ιουνίου června يونيو",
    "july jul juli juillet juil julio julho luglio lug lipca temmuz июля липня ιουλίου července "
    "يوليو",
    "august aug août aout agosto ago augustus sierpnia ağustos августа серпня αυγούστου srpna "
    "agustus augusti أغسطس اغسطس",
    "september sep sept septembre septiembre setembro set settembre września eylül сентября "
    "вересня σεπτεμβρίου září سبتمبر",
    "october oct oktober okt octobre octubre outubro out ottobre ott października ekim октября "
    "жовтня οκτωβρίου října أكتوبر اكتوبر",
    "november nov novembre noviembre novembro listopada kasım ноября листопада νοεμβρίου "
    "listopadu نوفمبر",
    "december dec dezember dez décembre déc diciembre dic dezembro dicembre december grudnia "
    "aralık декабря грудня δεκεμβρίου prosince desember ديسمبر",
)
_MONTHS = {name: number for number, names in enumerate(_MONTH_NAMES, 1) for name in names.split()}
_MONTH = "(?P<month>" + "|".join(sorted(map(re.escape, _MONTHS), key=len, reverse=True)) + r")\b\.?"

_ZONES = {
    "Z": 0, "UTC": 0, "GMT": 0, "WET": 0, "WEST": 60, "CET": 60, "MEZ": 60, "CEST": 120,
    "MESZ": 120, "EET": 120, "EEST": 180, "MSK": 180, "EST": -300, "EDT": -240, "MST": -420,
    "MDT": -360, "PST": -480, "PDT": -420, "JST": 540, "KST": 540, "HKT": 480, "SGT": 480,
    "WIB": 420, "CDT": -300, "AEST": 600, "AEDT": 660,
}  # fmt: skip
"""Zone abbreviations with one meaning in news; "CST", "IST", "BST" have several and are left out."""

_OFFSET = (
    r"(?:\s*(?P<zone>Z\b|(?:UTC|GMT)?\s?[+-]\d{2}:?(?:\d{2})?\b|(?:UTC|GMT)[+-]\d{1,2}\b"
    r"|\(?[A-Z]{3,4}\b))?"
)
_CLOCK = (
    r"(?P<hour>\d{1,2})\s?[:.：h時时点]\s?(?P<minute>\d{2})(?!\d)分?"
    r"(?:\s?[:：](?P<second>\d{2})(?:[.,]\d{1,9})?)?秒?(?:\s?(?P<half>[AaPp])\.?[Mm]\b\.?)?"
)
_GAP = r"(?:\s*[,;|·•\-–—/T]?\s*(?:at|um|à|às|a las|alle|kl|o|в|,|h)?\.?\s*)"
_TIME_AFTER = rf"(?:{_GAP}{_CLOCK}{_OFFSET})?"
_YEAR = r"(?P<year>(?:19|20)\d{2})(?!\d)"

_PATTERNS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # 2025-07-28T16:57:13.000+08:00, 2025/07/28 16:57, 2025.07.28
        rf"(?<![\d.])(?P<year>\d{{4}})(?P<sep>[-/.])(?P<monthno>\d{{1,2}})(?P=sep)(?P<day>\d{{1,2}})"
        rf"(?!\d)\.?(?:[T\s_]*(?:\(.{{1,4}}\)\s*)?{_CLOCK}{_OFFSET})?",
        # 20250728T165713Z, 20250728165713, 20250728
        r"(?<![\d.])(?P<year>(?:19|20)\d{2})(?P<monthno>\d{2})(?P<day>\d{2})"
        rf"(?:T?(?P<hour>\d{{2}}):?(?P<minute>\d{{2}}):?(?P<second>\d{{2}}))?(?!\d){_OFFSET}",
        # 2025年7月28日 下午4:57, 2025년 7월 28일
        r"(?<!\d)(?P<year>\d{4})\s?[年년]\s?(?P<monthno>\d{1,2})\s?[月월]\s?(?P<day>\d{1,2})\s?[日일號号]?"
        rf"(?:\s?[(（].{{1,3}}[)）])?(?:\s*(?P<half>上午|下午|오전|오후|午前|午後)?\s*{_CLOCK.replace('half', 'half2')}{_OFFSET})?",
        # 16:57, 28 July 2025 and 08:04, September 05, 2023
        rf"(?<!\d){_CLOCK}{_OFFSET},?\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\s+{_MONTH},?\s+{_YEAR}",
        rf"(?<!\d){_CLOCK}{_OFFSET},?\s+{_MONTH}\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?\s+{_YEAR}",
        # 28 July 2025, 28. Juli 2025 16:57 Uhr, 28 de julio de 2025, Mon, 28 Jul 2025 16:57:13 GMT
        rf"(?<!\d)(?P<day>\d{{1,2}})(?:st|nd|rd|th|er|º|\.)?[\s\-]*(?:de |of |d')?{_MONTH}[,\s\-]*(?:de |del )?"
        rf"{_YEAR}{_TIME_AFTER}",
        # July 28, 2025 4:57 pm EDT; Mon Jul 28 2025 16:57:13 GMT+0800
        rf"\b{_MONTH}\s*(?P<day>\d{{1,2}})(?:st|nd|rd|th)?[,\s]+{_YEAR}{_TIME_AFTER}",
        # Mon Jul 28 16:57:13 +0800 2025
        rf"\b{_MONTH}\s+(?P<day>\d{{1,2}})\s+{_CLOCK}{_OFFSET}\s+{_YEAR}",
        # 28.07.2025, 28/07/2025, 07/28/2025, 28-07-2025
        rf"(?<![\d.])(?P<first>\d{{1,2}})(?P<sep>[./\-])\s?(?P<second_>\d{{1,2}})(?P=sep)\s?"
        rf"{_YEAR}{_TIME_AFTER}",
    )
)
_EPOCH = re.compile(r"\s*(\d{10})(\d{3})?(?:\.\d+)?\s*")
_AFTERNOON = {"下午", "오후", "午後"}

_STORY_ID = re.compile(r"/a/(\d{4})(\d{2})/(\d{2})/WS([0-9a-f]{8})[0-9a-f]{16}\b", re.IGNORECASE)
_URL_DAY = re.compile(
    r"/(?P<year>(?:19|20)\d{2})(?P<sep>[-/._]?)(?P<month>0[1-9]|1[0-2])(?:(?P=sep)|/)"
    r"(?P<day>[0-2]\d|3[01])(?=[/_.\-?]|$)"
    r"|/(?P<year2>(?:19|20)\d{2})/(?P<month2>[1-9])/(?P<day2>[1-9]|[12]\d|3[01])(?=/|$)"
    r"|[/_\-](?P<year3>20\d{2})-?(?P<month3>0[1-9]|1[0-2])-?(?P<day3>[0-2]\d|3[01])(?=[/_.\-?]|$)"
)
_BEIJING = timezone(timedelta(hours=8))


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """What a page's times are read with."""

    zone: tzinfo = UTC
    """Zone of times that state none."""
    latest: datetime | None = None
    """Times from here on are refused; None: no upper bound."""
    day_first: bool | None = None
    """Order of 03/04/2025; None: such dates are not read."""


@lru_cache(maxsize=256)
def zone_named(name: str | None) -> tzinfo:
    """The zone of an IANA name; UTC when it is None or unknown."""
    if not name:
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def parse_time(raw: str, clock: Clock) -> TimeValue | None:
    """The time that a short text states; None when it states none, or an impossible one."""
    text = raw.strip()[:_MAX_LENGTH]
    if match := _EPOCH.fullmatch(text):
        return _bounded(_from_epoch(int(match[1]), text, clock.zone), clock)
    return next(iter_times(text, clock), None)


def iter_times(text: str, clock: Clock) -> Iterator[TimeValue]:
    """The times in a text, pattern by pattern; ends at the first impossible one."""
    text = text[:_MAX_LENGTH]
    if not any(character.isdigit() for character in text):
        return
    for pattern in _PATTERNS:
        for match in pattern.finditer(text):
            value = _from_match(match, clock)
            if value is None:
                return
            if _bounded(value, clock) is not None:
                yield value


def url_times(url: str, clock: Clock) -> Iterator[TimeValue]:
    """Times that a URL states: the second inside a China Daily story id, else a day in the path.

    China Daily ids are MongoDB ObjectIds: their first 8 hex digits are the second of publication.
    """
    if match := _STORY_ID.search(url):
        year, month, day, seconds = int(match[1]), int(match[2]), int(match[3]), int(match[4], 16)
        value = _from_epoch(seconds, f"WS{match[4]}", clock.zone)
        path_day = _day(year, month, day)
        if path_day and abs(value.start.astimezone(_BEIJING).replace(tzinfo=None) - path_day) < (
            timedelta(days=3)
        ):
            if _bounded(value, clock) is not None:
                yield value
            return
    path = re.split("[?#]", url, maxsplit=1)[0]
    for match in _URL_DAY.finditer(path):
        fields = [group for group in match.groups() if group and group.isdigit()]
        start = _day(*map(int, fields[:3]))
        if start is not None:
            day_value = _interval(start, "day", None, "/".join(fields[:3]), clock.zone)
            if _bounded(day_value, clock) is not None:
                yield day_value


def local_day(moment: datetime, offset_minutes: int | None, zone: tzinfo) -> date:
    """The calendar day of a moment at its source: in the UTC offset stated with it, else in the zone of the source.

    A stated UTC counts as none: machines write it whatever the publisher's clock shows.
    """
    stated = timezone(timedelta(minutes=offset_minutes)) if offset_minutes else zone
    return moment.astimezone(stated).date()


def _from_epoch(seconds: int, raw: str, zone: tzinfo) -> TimeValue:
    start = datetime.fromtimestamp(seconds, UTC)
    return TimeValue(
        start=start,
        end=start + timedelta(seconds=1),
        raw=raw,
        offset_minutes=0,
        precision="second",
        local_day=local_day(start, 0, zone),
    )


def _from_match(match: re.Match[str], clock: Clock) -> TimeValue | None:
    """The matched time; None when its numbers are impossible or their order is unknown."""
    groups = match.groupdict()
    year = int(groups["year"])
    if "first" in groups:
        order = _day_and_month(int(groups["first"]), int(groups["second_"]), groups["sep"], clock)
        if order is None:
            return None
        day, month = order
    else:
        month = (
            int(groups["monthno"]) if groups.get("monthno") else _MONTHS[groups["month"].lower()]
        )
        day = int(groups["day"])
    start = _day(year, month, day)
    if start is None:
        return None
    precision, hour = "day", _hour(groups)
    if hour is not None and groups.get("minute"):
        minute, second = int(groups["minute"]), int(groups.get("second") or 0)
        if hour > 23 or minute > 59 or second > 60:
            return None
        start = start.replace(hour=hour, minute=minute, second=min(second, 59))
        precision = "second" if groups.get("second") else "minute"
        if precision == "second" and (hour, minute, second) == (0, 0, 0):
            precision = "day"  # what content systems write when they store a day only
    offset = _offset_minutes(groups.get("zone")) if hour is not None else None
    return _interval(start, precision, offset, match[0].strip()[:_MAX_LENGTH], clock.zone)


def _hour(found: dict[str, str | None]) -> int | None:
    if not (raw := found.get("hour")):
        return None
    hour = int(raw)
    half = found.get("half") or found.get("half2")
    if half:
        if half.lower().startswith("p") or half in _AFTERNOON:
            return hour + 12 if hour < 12 else hour
        return 0 if hour == 12 else hour
    return hour


def _day_and_month(first: int, second: int, separator: str, clock: Clock) -> tuple[int, int] | None:
    if first > 12 or second > 12 or first == second:
        return (first, second) if second <= 12 else (second, first)
    if separator == ".":  # no English-speaking country writes dots
        return first, second
    if clock.day_first is None:
        return None
    return (first, second) if clock.day_first else (second, first)


def _day(year: int, month: int, day: int) -> datetime | None:
    if not 1900 <= year <= 2200:
        return None
    try:
        return datetime(year, month, day)  # noqa: DTZ001 -- the zone is applied by _interval
    except ValueError:
        return None


def _offset_minutes(raw: str | None) -> int | None:
    if not raw:
        return None
    text = raw.strip(" (").upper()
    if text in _ZONES:
        return _ZONES[text]
    match = re.fullmatch(r"(?:UTC|GMT)?\s?([+-])(\d{1,2}):?(\d{2})?", text)
    if match is None:
        return None
    minutes = int(match[2]) * 60 + int(match[3] or 0)
    return None if minutes > 14 * 60 else (-minutes if match[1] == "-" else minutes)


def _interval(
    start: datetime, precision: str, offset: int | None, raw: str, zone: tzinfo
) -> TimeValue:
    """`start` is local, in the offset when there is one, else in the zone of the source."""
    stated = zone if offset is None else timezone(timedelta(minutes=offset))
    length = {"day": timedelta(days=1), "minute": timedelta(minutes=1)}.get(
        precision, timedelta(seconds=1)
    )
    moment = start.replace(tzinfo=stated).astimezone(UTC)
    is_day = precision == "day"
    return TimeValue(
        start=moment,
        end=(start + length).replace(tzinfo=stated).astimezone(UTC) if is_day else moment + length,
        raw=raw,
        offset_minutes=offset,
        precision=precision,
        local_day=start.date() if is_day else local_day(moment, offset, zone),
    )


def _bounded(value: TimeValue | None, clock: Clock) -> TimeValue | None:
    if value is None or value.start < EARLIEST - timedelta(hours=14):
        return None
    if clock.latest is not None and value.start > clock.latest:
        return None
    return value
