import pytest

from igloo.config.quantities import parse_duration_s, parse_size_bytes, parse_whole_number


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("500ms", 0.5),
        ("5s", 5.0),
        ("2m", 120.0),
        ("1h", 3600.0),
        ("1d", 86400.0),
        ("1.5s", 1.5),
        (" 5 S ", 5.0),
        ("0", 0.0),
        ("0s", 0.0),
        ("365d", 365 * 86400.0),
    ],
)
def test_a_duration_is_read_as_seconds(text, seconds):
    assert parse_duration_s(text) == seconds


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("5", "unit is missing"),
        ("", "must be a duration"),
        ("s", "must be a duration"),
        ("-5s", "must be a duration"),
        ("5x", "no unit of time"),
        ("1h30m", "must be a duration"),
        ("nan", "must be a duration"),
        ("1e3s", "must be a duration"),
        ("\u0665s", "must be a duration"),
        ("366d", "at most 365d"),
        ("9" * 40 + "s", "must be a duration"),
    ],
)
def test_what_is_no_duration_is_refused_with_its_reason(text, reason):
    with pytest.raises(ValueError, match=reason):
        parse_duration_s(text)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("512MB", 512 * 10**6),
        ("4GiB", 4 * 2**30),
        ("1kB", 1000),
        ("1KiB", 1024),
        ("2tb", 2 * 10**12),
        ("1.5GB", 1_500_000_000),
        ("0", 0),
        ("17", 17),
        ("17B", 17),
    ],
)
def test_a_size_is_read_as_bytes(text, size):
    assert parse_size_bytes(text) == size


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("4G", "no unit of size"),
        ("", "must be a size"),
        ("-1MB", "must be a size"),
        ("50%", "no unit of size"),
        ("0.3B", "whole number of bytes"),
        ("MB", "must be a size"),
    ],
)
def test_what_is_no_size_is_refused_with_its_reason(text, reason):
    with pytest.raises(ValueError, match=reason):
        parse_size_bytes(text)


def test_a_percentage_is_of_the_whole():
    assert parse_size_bytes("50%", whole_bytes=1001) == 500
    assert parse_size_bytes("100%", whole_bytes=1001) == 1001


@pytest.mark.parametrize("text", ["0%", "101%"])
def test_a_percentage_outside_of_its_range_is_refused(text):
    with pytest.raises(ValueError, match="above 0 and at most 100"):
        parse_size_bytes(text, whole_bytes=1000)


def test_a_whole_number_is_digits_only():
    assert parse_whole_number("0") == 0
    assert parse_whole_number(" 42 ") == 42
    for text in ("", "-1", "1.0", "1_000", "0x10", "1e3", "9" * 20, "²"):
        with pytest.raises(ValueError, match="whole number"):
            parse_whole_number(text)
