"""Reads and runs sqllogictest files.

A record is ``statement ok``, ``statement error ErrorClass [text]`` or ``query TYPES [rowsort]``,
then the SQL up to an empty line or ``----``, then for a query the expected rows: values separated
by tabs. TYPES has a letter a column: I integer, R number, T text, B boolean, D date, time or interval.
``${folder}`` in a file stands for an empty folder of the run.
"""

import datetime as dt
import decimal
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

KINDS = {
    "I": int,
    "R": (float, decimal.Decimal),
    "T": (str, bytes, list, dict),
    "B": bool,
    "D": (dt.date, dt.datetime, dt.time, dt.timedelta, pa.MonthDayNano),
}
_DAY_US = 24 * 60 * 60 * 10**6


@dataclass(frozen=True)
class Record:
    """One statement of a file and what it has to answer."""

    path: Path
    line: int
    kind: str
    arguments: tuple[str, ...]
    sql: str
    expected: tuple[str, ...] = ()

    @property
    def place(self):
        return f"{self.path.name}:{self.line}"


def read_records(path):
    """Return the records of a file; raise ValueError, with the place, for what is none."""
    lines = path.read_text().splitlines()
    records = []
    index = 0
    while index < len(lines):
        if not lines[index].strip() or lines[index].startswith("#"):
            index += 1
            continue
        start = index
        while index < len(lines) and lines[index].strip():
            index += 1
        records.append(_read_block(path, start + 1, lines[start:index]))
    return records


def _read_block(path, line, block):
    kind, *arguments = block[0].split(maxsplit=2)
    body = block[1:]
    split = body.index("----") if "----" in body else len(body)
    if not _is_known(kind, arguments, has_rows=split < len(body)):
        raise ValueError(f"{path.name}:{line}: no record starts with {block[0]!r}")
    return Record(
        path, line, kind, tuple(arguments), "\n".join(body[:split]), tuple(body[split + 1 :])
    )


def _is_known(kind, arguments, *, has_rows):
    match kind, *arguments:
        case ["statement", "ok"] | ["statement", "error", _]:
            return not has_rows
        case ["query", types] | ["query", types, "rowsort"]:
            return has_rows and set(types) <= set(KINDS)
    return False


def run_record(record, run, errors, folder):
    """Run one record; raise AssertionError, with the place, if it answers otherwise.

    ``run`` takes SQL and returns a list of tuples; ``errors`` has the error classes by name.
    """
    sql = record.sql.replace("${folder}", str(folder))
    if record.kind == "query":
        rows = run(sql)
        found = [_shown_row(record, row) for row in rows]
        expected = [line.replace("${folder}", str(folder)) for line in record.expected]
        if "rowsort" in record.arguments:
            found, expected = sorted(found), sorted(expected)
        assert found == expected, f"{record.place}: found {found}, expected {expected}"
    elif record.arguments[0] == "ok":
        run(sql)
    else:
        _expect_error(record, run, errors, sql)


def _expect_error(record, run, errors, sql):
    name, _, told = record.arguments[1].partition(" ")
    kind = getattr(errors, name)
    caught = None
    try:
        rows = run(sql)
    except errors.IglooError as error:
        caught = error
    assert caught is not None, f"{record.place}: no error, but {rows}"
    assert isinstance(caught, kind), f"{record.place}: {type(caught).__name__}: {caught}"
    assert told in str(caught), f"{record.place}: {told!r} is not in {str(caught)!r}"


def _shown_row(record, row):
    types = record.arguments[0]
    assert len(row) == len(types), f"{record.place}: {len(row)} columns, expected {len(types)}"
    for letter, value in zip(types, row, strict=True):
        fits = value is None or (
            isinstance(value, KINDS[letter]) and isinstance(value, bool) == (letter == "B")
        )
        assert fits, f"{record.place}: {value!r} is not of type {letter}"
    return "\t".join(map(shown, row))


def shown(value):
    """Return a value as the files have it."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, bytes):
        return value.hex() or "(empty)"
    if isinstance(value, decimal.Decimal):
        return format(value, "f")
    if isinstance(value, dt.datetime) and value.tzinfo is not None:
        # The instant counts; the zone that it is shown in is one of many.
        return str(value.astimezone(dt.UTC))
    if isinstance(value, dt.timedelta | pa.MonthDayNano):
        return _shown_interval(value)
    return str(value) or "(empty)"


def _shown_interval(value):
    """Return months, days and seconds; a plain duration has as many whole days as fit."""
    if isinstance(value, dt.timedelta):
        microseconds = value // dt.timedelta(microseconds=1)
        days = abs(microseconds) // _DAY_US * (1 if microseconds >= 0 else -1)
        months, seconds = 0, decimal.Decimal(microseconds - days * _DAY_US) / 10**6
    else:
        months, days, nanoseconds = value
        seconds = decimal.Decimal(nanoseconds) / 10**9
    return f"{months} months {days} days {seconds.normalize():f} seconds"
