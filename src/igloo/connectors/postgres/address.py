"""Where a database is: both spellings of libpq, checked without dialling."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote

from igloo.config.secrets import Secret
from igloo.connectors.postgres.options import duration_s
from igloo.errors import InvalidSetting, did_you_mean

if TYPE_CHECKING:
    from igloo.connectors.postgres.options import PostgresOptions

_KEYWORDS = frozenset(
    (
        "application_name",
        "channel_binding",
        "client_encoding",
        "connect_timeout",
        "dbname",
        "fallback_application_name",
        "gssdelegation",
        "gssencmode",
        "gsslib",
        "host",
        "hostaddr",
        "keepalives",
        "keepalives_count",
        "keepalives_idle",
        "keepalives_interval",
        "krbsrvname",
        "load_balance_hosts",
        "max_protocol_version",
        "min_protocol_version",
        "options",
        "passfile",
        "password",
        "port",
        "require_auth",
        "requirepeer",
        "service",
        "servicefile",
        "ssl_max_protocol_version",
        "ssl_min_protocol_version",
        "sslcert",
        "sslcertmode",
        "sslcompression",
        "sslcrl",
        "sslcrldir",
        "sslkey",
        "sslmode",
        "sslnegotiation",
        "sslpassword",
        "sslrootcert",
        "sslsni",
        "target_session_attrs",
        "tcp_user_timeout",
        "user",
    )
)
_SECRET_KEYWORDS = frozenset({"password", "sslpassword"})
_URL = re.compile(r"postgres(ql)?(\+\w+)?://(?P<rest>.*)\Z", re.DOTALL)
_PAIR = re.compile(
    r"\s*(?P<key>\w+)\s*=\s*(?P<value>'(?:[^'\\]|\\.)*'|(?:[^\s'\\]|\\.)*)", re.DOTALL
)
_UNREADABLE = 'The option "uri" of "postgres" is neither a URL nor the form host=… user=….'
_FORMS = "Write postgresql://user:password@host:port/database, or host=… user=… dbname=…."


@dataclass(frozen=True, slots=True)
class Address:
    """Checked connection parameters; printing it shows no secret.

    Attributes:
        parameters: libpq's keywords and values, secrets left out.
        secrets: the keywords that hold secrets.
    """

    parameters: tuple[tuple[str, str], ...]
    secrets: tuple[tuple[str, Secret], ...]

    def get(self, keyword: str, default: str) -> str:
        """Return a parameter that is no secret."""
        return dict(self.parameters).get(keyword, default)

    def __str__(self) -> str:
        """Return ``host:port``, for messages."""
        host = self.get("host", self.get("hostaddr", "localhost"))
        port = self.get("port", "5432")
        return f"{host}:{port}"

    def connection_text(self) -> str:
        """Return what the driver takes, secrets revealed: never print or log it."""
        pairs = [*self.parameters, *((k, s.reveal()) for k, s in self.secrets)]
        return " ".join(f"{key}={_quoted(value)}" for key, value in pairs)

    def without_secrets(self, text: str) -> str:
        """Return ``text`` with every secret value masked."""
        for _, secret in self.secrets:
            if secret.reveal():
                text = text.replace(secret.reveal(), str(secret))
        return text


def read_address(options: PostgresOptions) -> Address:
    """Check the options that say where the database is.

    Raises:
        InvalidSetting: the URI is not readable, a keyword is unknown, a value is out of range, or
            the place is said twice or not at all.
    """
    given = _given_apart(options)
    if options.uri is not None and given:
        raise InvalidSetting(
            f'The connector "postgres" takes "uri" or "{next(iter(given))}", not both.',
            hint="Put everything into uri, or leave it out.",
        )
    if options.uri is None and options.host is None:
        raise InvalidSetting(
            'The connector "postgres" needs the option "uri" or "host".',
            hint="Add uri = 'postgresql://user:password@host:port/database' to WITH (…).",
        )
    values = given if options.uri is None else _parse(options.uri.reveal())
    if options.sslmode is not None:
        values["sslmode"] = options.sslmode
    _check(values)
    timeout_s = duration_s("connect_timeout", options.connect_timeout)
    # libpq counts whole seconds, and takes 1 for 2.
    values.setdefault("connect_timeout", str(max(2, math.ceil(timeout_s))))
    values["client_encoding"] = "UTF8"
    values.setdefault("application_name", "igloo")
    return Address(
        tuple((k, v) for k, v in values.items() if k not in _SECRET_KEYWORDS),
        tuple((k, Secret(v)) for k, v in values.items() if k in _SECRET_KEYWORDS),
    )


def _given_apart(options: PostgresOptions) -> dict[str, str]:
    password = None if options.password is None else options.password.reveal()
    port = None if options.port is None else str(options.port)
    named = {"host": options.host, "port": port, "user": options.user}
    named |= {"password": password, "dbname": options.database}
    return {name: value for name, value in named.items() if value is not None}


def _parse(uri: str) -> dict[str, str]:
    url = _URL.match(uri.strip())
    return _parse_url(url["rest"]) if url else _parse_pairs(uri)


def _parse_url(rest: str) -> dict[str, str]:
    place, _, query = rest.partition("?")
    authority, _, database = place.partition("/")
    credentials, _, hosts = authority.rpartition("@")
    user, has_password, password = credentials.partition(":")
    names, ports = _hosts(hosts)
    values = {"host": names, "port": ports, "user": unquote(user), "dbname": unquote(database)}
    values = {name: value for name, value in values.items() if value}
    if has_password:
        values["password"] = unquote(password)
    try:
        values |= parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
    except ValueError as error:
        raise InvalidSetting(_UNREADABLE, hint=_FORMS, option="uri") from error
    return values


def _hosts(text: str) -> tuple[str, str]:
    names: list[str] = []
    ports: list[str] = []
    for part in text.split(",") if text else ():
        match = re.fullmatch(r"(\[(?P<v6>[^\]]+)\]|(?P<name>[^:\[\]]*))(:(?P<port>\d*))?", part)
        if match is None:
            raise InvalidSetting(_UNREADABLE, hint=_FORMS, option="uri")
        names.append(match["v6"] or unquote(match["name"] or ""))
        ports.append(match["port"] or "")
    return ",".join(names), ",".join(ports) if any(ports) else ""


def _parse_pairs(text: str) -> dict[str, str]:
    values: dict[str, str] = {}
    position = 0
    while text[position:].strip():
        match = _PAIR.match(text, position)
        if match is None or (match.end() < len(text) and not text[match.end()].isspace()):
            # The text may be a mistyped password: it is not repeated.
            raise InvalidSetting(_UNREADABLE, hint=_FORMS, option="uri")
        value = match["value"]
        value = value[1:-1] if value.startswith("'") else value
        values[match["key"]] = re.sub(r"\\(.)", r"\1", value, flags=re.DOTALL)
        position = match.end()
    if not values:
        raise InvalidSetting(_UNREADABLE, hint=_FORMS, option="uri")
    return values


def _check(values: dict[str, str]) -> None:
    for name, value in values.items():
        if name not in _KEYWORDS:
            raise InvalidSetting(
                f'PostgreSQL has no connection parameter "{name}".',
                hint=did_you_mean(name, _KEYWORDS),
                option="uri",
            )
        if "\0" in value:
            raise InvalidSetting(f'The connection parameter "{name}" holds a NUL character.')
    for port in filter(None, values.get("port", "").split(",")):
        if not (port.isdigit() and 1 <= int(port) <= 65535):
            raise InvalidSetting(
                f'The option "port" of "postgres" cannot be "{port}".',
                hint="Write a number from 1 to 65535.",
                option="port",
            )


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
