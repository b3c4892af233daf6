"""Times as people write them, by the clock of the course's zone."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

_FORMAT = "%Y-%m-%d %H:%M"


class NoSuchTime(ValueError):
    """A time that the zone's clocks never show, or show twice; the message is a sentence without its beginning."""


def moment(written: datetime, zone: ZoneInfo) -> datetime:
    """The moment that is meant, with its offset: `written` as it is where it has one, else by the clock of `zone`.

    Raises NoSuchTime at a change of the clock: the hour that is left out does not exist, and the one that comes twice
    needs its offset. (Python itself takes one of both in silence, see PEP 495.)
    """
    if written.tzinfo is not None:
        return written
    local = written.replace(tzinfo=zone)
    if local.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != written:
        raise NoSuchTime(f"{written:{_FORMAT}} does not exist in {zone.key}: the clocks are put forward over it. "
                         "Write another time.")  # fmt: skip
    other = local.replace(fold=1)
    if other.utcoffset() != local.utcoffset():
        both = " or ".join(f"{one.isoformat(timespec='minutes')}" for one in (local, other))
        raise NoSuchTime(f"{written:{_FORMAT}} comes twice in {zone.key}: the clocks are put back. "
                         f"Write {both}.")  # fmt: skip
    return local


def shown(when: datetime, zone: ZoneInfo) -> str:
    """As people of the course read it: by the zone's clock, with its name."""
    local = when.astimezone(zone)
    return f"{local:{_FORMAT}} {local.tzname()}"
