import pytest

from igloo.connectors.options import read_options
from igloo.connectors.postgres.address import read_address
from igloo.connectors.postgres.options import PostgresOptions, duration_s
from igloo.errors import InvalidSetting


def _address(**given):
    return read_address(
        read_options(PostgresOptions, given, connector="postgres", environment={"PW": "pa ss"})
    )


def _parameters(**given):
    address = _address(**given)
    secrets = {name: secret.reveal() for name, secret in address.secrets}
    return dict(address.parameters) | secrets


@pytest.mark.parametrize(
    ("uri", "wanted"),
    [
        (
            "postgresql://me:p%40ss@db:6543/shop?sslmode=require",
            {"user": "me", "password": "p@ss", "host": "db", "port": "6543", "dbname": "shop", "sslmode": "require"},
        ),
        ("postgres://db", {"host": "db"}),
        ("postgresql+psycopg2://me@db/shop", {"user": "me", "host": "db", "dbname": "shop"}),
        ("postgresql://me:a:b@c@db", {"user": "me", "password": "a:b@c", "host": "db"}),
        ("postgresql://[::1]:5433/d", {"host": "::1", "port": "5433", "dbname": "d"}),
        ("postgresql://a:1,b:2/d", {"host": "a,b", "port": "1,2", "dbname": "d"}),
        ("postgresql:///d?host=/run/pg", {"dbname": "d", "host": "/run/pg"}),
        ("postgresql://%2Frun%2Fpg/d", {"dbname": "d", "host": "/run/pg"}),
        ("host=db user=me dbname=shop", {"host": "db", "user": "me", "dbname": "shop"}),
        ("host = db password = 'a \\' b\\\\' user=", {"host": "db", "password": "a ' b\\", "user": ""}),
    ],
)  # fmt: skip
def test_both_spellings_of_libpq_are_read(uri, wanted):
    found = _parameters(uri=uri)
    assert found.items() >= wanted.items()


def test_options_apart_are_read_and_references_are_resolved():
    found = _parameters(host="db", port="1", user="me", password="${env:PW}", database="d")
    wanted = {"host": "db", "port": "1", "user": "me", "password": "pa ss", "dbname": "d"}
    assert found.items() >= wanted.items()
    assert found["application_name"] == "igloo"
    assert found["client_encoding"] == "UTF8"
    assert found["connect_timeout"] == "10"


def test_the_text_for_the_driver_quotes_every_value():
    text = _address(host="d b", user="it's", password="\\").connection_text()
    assert "host='d b'" in text
    assert "user='it\\'s'" in text
    assert "password='\\\\'" in text


def test_nothing_printable_holds_the_password():
    address = _address(uri="postgresql://me:hunter2@db/shop")
    assert "hunter2" not in f"{address!r} {address}"
    assert address.without_secrets("rejected hunter2!") == "rejected •••!"
    assert str(address) == "db:5432"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, 'needs the option "uri" or "host"'),
        ({"uri": "hunter2"}, "neither a URL nor"),
        ({"uri": ""}, "neither a URL nor"),
        ({"uri": "mysql://me:hunter2@db"}, "neither a URL nor"),
        ({"uri": "host=db hunter2"}, "neither a URL nor"),
        ({"uri": "host=db password='hunter2"}, "neither a URL nor"),
        ({"uri": "host='a'b"}, "neither a URL nor"),
        ({"uri": "postgresql://db/d?hunter2"}, "neither a URL nor"),
        ({"uri": "postgresql://[::1/d"}, "neither a URL nor"),
        ({"uri": "host=db sslmod=require"}, 'no connection parameter "sslmod"'),
        ({"uri": "postgresql://db:x/d"}, "neither a URL nor"),
        ({"uri": "host=db port=x"}, '"port" of "postgres" cannot be "x"'),
        ({"host": "db", "port": "70000"}, 'cannot be "70000"'),
        ({"uri": "host=db", "user": "me"}, 'takes "uri" or "user", not both'),
        ({"host": "a\0b"}, "NUL"),
        ({"host": "db", "sslmode": "maybe"}, "sslmode"),
        ({"host": "db", "connect_timeout": "soon"}, '"connect_timeout" of "postgres" cannot be'),
        ({"host": "db", "pasword": "hunter2"}, 'no option "pasword". Did you mean "password"'),
        ({"host": "db", "changes": "on"}, 'no option "changes"'),
    ],
)
def test_a_wrong_address_is_an_invalid_setting_that_repeats_no_secret(given, message):
    with pytest.raises(InvalidSetting, match=message) as caught:
        _address(**given)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "seconds"), [("500ms", 0.5), ("5", 5), ("5s", 5), ("2m", 120), ("1.5h", 5400)]
)
def test_durations_are_read(text, seconds):
    assert duration_s("x", text) == seconds


@pytest.mark.parametrize("text", ["", "0", "-1s", "5 days", "s"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(InvalidSetting, match="500ms"):
        duration_s("pool_timeout", text)
