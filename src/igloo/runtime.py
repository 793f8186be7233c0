"""The composition root: the one place that wires configuration, engine and connection."""

from __future__ import annotations

import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Self

from igloo.errors import InvalidSetting, InvalidValue, NotSupported

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import TracebackType

    from igloo.engine.engine import Engine
    from igloo.engine.planner.parameters import Parameters
    from igloo.engine.session import Session
    from igloo.result import Result

_REMOTE_SCHEMES = ("grpc://", "grpc+tls://")


class Connection:
    """One session of an engine. Thread-safe: each ``sql`` is independent."""

    def __init__(self, engine: Engine, session: Session) -> None:
        self._engine = engine
        self._session = session
        self._is_closed = False
        # Forgotten without close(): sources must get their sessions back all the same.
        self._close = weakref.finalize(self, engine.close)

    def sql(self, text: str, parameters: Parameters = None) -> Result:
        """Run one statement.

        Planning errors are raised here; a query itself starts at the first read of its result.

        Args:
            text: one statement; a ``;`` at its end is allowed.
            parameters: a list or tuple for ``?`` and ``$1 …``, a dict for ``$name``.

        Raises:
            IglooError: the statement, or a source it needs, is wrong.
        """
        self._check_open()
        return self._kept_by(self._engine.run(self._session, text, parameters))

    def run_script(self, text: str) -> Iterator[Result]:
        """Yield the result of each statement of a script, which run as they are asked for.

        Raises:
            IglooError: what stopped the script; statements before it stay done.
        """
        self._check_open()
        return map(self._kept_by, self._engine.run_script(self._session, text))

    def _kept_by(self, result: Result) -> Result:
        """Let the connection live as long as a result that may still be read."""
        result.connection = self
        return result

    def register(self, name: str, source: object) -> None:
        """Make Arrow data a table named ``name``.

        Args:
            name: the table's name, exactly; in SQL, quote it if it is not lower case.
            source: a pyarrow Table, RecordBatch, RecordBatchReader (read once) or Dataset, a pandas
                or Polars frame, or anything with ``__arrow_c_stream__``.

        Raises:
            InvalidValue: the data is of another kind.
        """
        self._check_open()
        self._engine.register(name, source)

    def unregister(self, name: str) -> None:
        """Remove a registered table.

        Raises:
            TableNotFound: nothing is registered under this name.
        """
        self._check_open()
        self._engine.unregister(name)

    @property
    def current_schema(self) -> tuple[str, str]:
        """The current catalog and the current schema, where short names start; USE changes them."""
        place = self._session.place
        return place.catalog, place.schema

    def cancel(self) -> None:
        """Stop every statement that runs, from any thread; each ends with ``QueryCancelled``."""
        self._engine.cancel()

    def close(self) -> None:
        """Stop what runs and give back every connection. Safe to call twice."""
        if not self._is_closed:
            self._is_closed = True
            self._close()

    def _check_open(self) -> None:
        if self._is_closed:
            raise InvalidValue("The connection is closed.", hint="Call igloo.connect() again.")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def connect(  # noqa: PLR0913 - the promised signature
    target: str | Path | None = None,
    *,
    user: str | None = None,
    password: str | None = None,
    token: str | None = None,
    config: str | Path | None = None,
    settings: Mapping[str, object] | None = None,
    tls_ca: str | Path | None = None,
    timeout_s: float | None = None,
) -> Connection:
    """Open Igloo.

    Args:
        target: None for an engine in this process, configured by ``./igloo.toml`` and ``./.env``;
            a path that ends in ``.toml`` for one configured there.
        user: name to sign in with; for a server only.
        password: goes with ``user``.
        token: to sign in with instead; for a server only.
        config: a path as ``target`` would take it, for readers' sake.
        settings: values by name, with or without ``igloo.``; they beat every file.
        tls_ca: certificate authority of the server; for a server only.
        timeout_s: limit in seconds on every query; the same as the setting ``igloo.timeout``.

    Raises:
        InvalidSetting: the target, a file or a setting is wrong.
        NotSupported: the target is a server; this version has no client for one.
    """
    from igloo.config.load import load_config

    _check_target(target, {"user": user, "password": password, "token": token, "tls_ca": tls_ca})
    if target is not None and config is not None:
        raise InvalidSetting("The configuration is given twice.", hint="Give target or config.")
    path = target if target is not None else config
    overrides = dict(settings or {})
    if timeout_s is not None:
        overrides["igloo.timeout"] = f"{round(timeout_s * 1000)}ms"
    loaded = load_config(path=None if path is None else Path(path), overrides=overrides)
    # Last, so that a wrong configuration is told before the heavy libraries are loaded.
    from igloo.engine.engine import Engine

    engine = Engine(loaded)
    return Connection(engine, engine.open_session())


def _check_target(target: str | Path | None, credentials: Mapping[str, object]) -> None:
    text = "" if target is None else str(target)
    if text.startswith(_REMOTE_SCHEMES):
        raise NotSupported(
            f'Connecting to a server ("{text}") is not possible in this version.',
            hint="Use igloo.connect() for an engine in this process.",
        )
    if target is not None and not text.endswith(".toml"):
        raise InvalidSetting(
            f'Cannot connect to "{text}".', hint="Give nothing, or a path that ends in .toml."
        )
    given = sorted(name for name, value in credentials.items() if value is not None)
    if given:
        raise InvalidSetting(
            f'An engine in this process takes no "{given[0]}".',
            hint="Credentials go with a server's address.",
        )
