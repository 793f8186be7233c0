import pytest

from igloo.config.redaction import is_secret_name, redact_option, redact_uri

SECRET = "hunter2"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://me:hunter2@db:5432/shop", "postgresql://me:•••@db:5432/shop"),
        ("postgresql+psycopg://me:hunter2@db/shop", "postgresql+psycopg://me:•••@db/shop"),
        ("postgresql://me:hunter2@x@db/shop", "postgresql://me:•••@db/shop"),
        ("postgresql://me:hunter2/x@db/shop", "postgresql://me:•••@db/shop"),
        ("redis://:hunter2@db", "redis://:•••@db"),
        ("host=db user=me password=hunter2 dbname=x", "host=db user=me password=••• dbname=x"),
        ("host=db password = 'hun hunter2' port=1", "host=db password = ••• port=1"),
        (r"password='a\'hunter2' port=1", "password=••• port=1"),
        ("postgresql://db/x?user=me&password=hunter2&a=1", "postgresql://db/x?user=me&password=•••&a=1"),
        ("cannot open postgresql://me:hunter2@db: refused", "cannot open postgresql://me:•••@db: refused"),
        ("Pwd=hunter2;Server=x", "Pwd=•••;Server=x"),
        ("sslpassword=hunter2", "sslpassword=•••"),
        ("https://x/y?access_token=hunter2", "https://x/y?access_token=•••"),
    ],
)  # fmt: skip
def test_a_password_inside_a_text_is_dots(text, shown):
    assert redact_uri(text) == shown
    assert SECRET not in redact_uri(text)


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://db:5432/shop",
        "postgresql://me@db/shop",
        "${env:DATABASE_URL}",
        "host=db password=${env:PG_PASSWORD}",
        "postgresql://me:${env:PG_PASSWORD}@db/shop",
        "s3://bucket/folder@2024",
        "data/people.parquet",
        "",
    ],
)
def test_what_holds_no_secret_stays_readable(text):
    assert redact_uri(text) == text


@pytest.mark.parametrize(
    "name",
    ["password", "token", "credential", "storage.secret_access_key", "storage.sas_token",
     "sslpassword", "api_key", "storage.account_key", "client_secret"],
)  # fmt: skip
def test_an_option_that_is_a_secret_is_dots_whatever_it_holds(name):
    assert is_secret_name(name)
    assert redact_option(name, SECRET) == "•••"
    assert redact_option(name, "${env:X}") == "${env:X}"
    assert redact_option(name, "${env:X}hunter2") == "•••"


@pytest.mark.parametrize("name", ["uri", "user", "path", "storage.region", "storage.access_key_id"])
def test_other_options_are_shown(name):
    assert not is_secret_name(name)
    assert redact_option(name, "plain") == "plain"


def test_a_long_text_without_secrets_is_read_in_linear_time():
    for text in ("a:" * 200_000, " password " * 50_000, "x" * 500_000, "a-" * 200_000):
        assert redact_uri(text) == text
