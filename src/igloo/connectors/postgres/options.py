"""The options of a PostgreSQL catalog."""

from __future__ import annotations

import re
from dataclasses import dataclass

from igloo.config.secrets import Secret  # noqa: TC001 - the options are read from the hints
from igloo.connectors.options import Options, option
from igloo.errors import InvalidSetting

_DURATION = re.compile(r"(?P<number>\d+(\.\d+)?)\s*(?P<unit>ms|s|m|h)?\Z")
_UNIT_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresOptions(Options):
    """Where a PostgreSQL database is, and how it is spoken to."""

    uri: Secret | None = option(  # noqa: RUF009 - a field
        "Where the database is: postgresql://user:password@host:port/database, "
        "or the form host=… user=… dbname=….",
        default=None,
    )
    host: str | None = option("Host name, address, or folder of the socket.", default=None)
    port: int | None = option("Port; 5432 when not given.", default=None)
    user: str | None = option("User to connect as.", default=None)
    password: Secret | None = option("Password of the user.", default=None)  # noqa: RUF009 - a field
    database: str | None = option("Database to connect to.", default=None)
    sslmode: str | None = option(
        "Whether the connection is encrypted and the server is checked.",
        default=None,
        choices=SSL_MODES,
    )
    schemas: tuple[str, ...] = option(
        "Schemas to show, comma-separated; all when empty.", default=()
    )
    allow_writes: bool = option("Whether statements may write; not supported yet.", default=False)
    pool_size: int = option("Connections that are open at once, at most.", default=16)
    pool_timeout: str = option("How long a scan waits for a free connection.", default="30s")
    connect_timeout: str = option("How long connecting may take.", default="10s")
    statement_timeout: str | None = option(
        "How long one statement may run in the source; the server's own limit when not given.",
        default=None,
    )


def duration_s(name: str, text: str) -> float:
    """Return a duration such as ``500ms``, ``5s``, ``2m`` or ``5`` in seconds.

    Raises:
        InvalidSetting: the text is no duration above zero.
    """
    match = _DURATION.match(text.strip())
    seconds = float(match["number"]) * _UNIT_S[match["unit"] or "s"] if match else 0.0
    if seconds <= 0:
        raise InvalidSetting(
            f'The option "{name}" of "postgres" cannot be "{text}".',
            hint="Write a duration such as 500ms, 5s or 2m.",
            option=name,
        )
    return seconds
