"""The engine: one door for every statement."""

from __future__ import annotations

import contextlib
import re
import sys
from copy import copy
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from igloo.config.redaction import redact_uri
from igloo.connectors.memory import MemoryConnector
from igloo.connectors.options import Options
from igloo.engine.catalog.catalogs import BUILT_IN, MEMORY, Catalogs
from igloo.engine.catalog.external import ExternalTables
from igloo.engine.catalog.gate import OPEN
from igloo.engine.catalog.resolve import START, Resolver
from igloo.engine.catalog.store import CatalogStore
from igloo.engine.catalog.system_tables import CATALOGS_SCHEMA, QUERIES_SCHEMA, SystemTables
from igloo.engine.catalog.views import Views
from igloo.engine.commands import run_command
from igloo.engine.execution.conform import plain_schema
from igloo.engine.execution.context import Contexts, ContextSettings
from igloo.engine.execution.failures import translate_failure
from igloo.engine.execution.stream import PlanStream
from igloo.engine.execution.tables import NativeTables
from igloo.engine.planner import statements as st
from igloo.engine.planner.bind import BoundCatalogs
from igloo.engine.planner.frames import FrameBinder
from igloo.engine.planner.parameters import bind_parameters
from igloo.engine.planner.parse import parse_statement
from igloo.engine.planner.planner import PlannedQuery, Planner, remote_query_function
from igloo.engine.planner.term_count import check_terms
from igloo.engine.planner.tokens import check_depth, split_script, tokenize
from igloo.engine.query import Query, QueryHistory, QueryState
from igloo.engine.session import Session
from igloo.errors import AlreadyExists, IglooError, InvalidValue, SqlSyntaxError
from igloo.names import TableName, TablePath
from igloo.result import Result

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from datafusion import DataFrame

    from igloo.config.load import Config
    from igloo.engine.catalog.gate import Gate
    from igloo.engine.command import Answer
    from igloo.engine.planner.parameters import Parameters
    from igloo.engine.planner.tokens import Tokens
    from igloo.result import BatchStream


class Engine:
    """Catalogs, views and DataFusion sessions of one installation. Thread-safe."""

    def __init__(self, config: Config, gate: Gate = OPEN) -> None:
        """Hold what is configured; no source is dialled.

        Args:
            config: settings, environment and catalogs.
            gate: which paths and URLs statements may name.
        """
        store_path = config.settings.catalog_store
        store = CatalogStore(store_path) if store_path is not None else None
        self.settings = config.settings
        self.catalogs = Catalogs(config.environment, store, gate)
        self.gate = gate
        self.views = Views(store)
        self.external = ExternalTables(config.environment)
        self.resolver = Resolver(self.catalogs, self.views, self.external)
        self.history = QueryHistory(config.settings.limits_query_history)
        self.memory = MemoryConnector(MEMORY, Options())
        self.catalogs.build_in(self.memory)
        self.catalogs.build_in(
            SystemTables(
                {
                    "catalogs": (CATALOGS_SCHEMA, self._catalog_rows),
                    "queries": (QUERIES_SCHEMA, self.history.rows),
                }
            )
        )
        for catalog in config.catalogs:
            self.catalogs.configure(catalog)
        self._contexts = Contexts(
            BoundCatalogs(), (remote_query_function(),), may_wait=self._may_wait
        )
        self.native = NativeTables()

    def open_session(self) -> Session:
        """Return a new session with the configured settings."""
        return Session(self.settings)

    def run(self, session: Session, text: str, parameters: Parameters = None) -> Result:
        """Run one statement; a query starts at the first read of its result.

        Raises:
            IglooError: the statement, a name, a type or a source in it is wrong.
        """
        with _redacted():
            return self._run(session, text.strip(), parameters)

    def _run(self, session: Session, text: str, parameters: Parameters) -> Result:
        tokens = tokenize(text, bytes_max=session.settings.limits_statement_bytes)
        statements = split_script(tokens)
        if len(statements) > 1:
            raise SqlSyntaxError(
                f"The text holds {len(statements)} statements; sql() runs one.",
                hint="Use run_script() for scripts.",
                statements=len(statements),
            )
        if statements and statements[0] == text:
            return self._run_tokens(session, tokens, parameters)
        return self._run_one(session, statements[0] if statements else "", parameters)

    def run_script(self, session: Session, text: str) -> Iterator[Result]:
        """Run the statements of a script in turn, each when its result is asked for.

        Raises:
            IglooError: what stopped the script.
        """
        # The limit is on each statement; a script may hold many.
        for statement in split_script(tokenize(text, bytes_max=sys.maxsize)):
            with _redacted():
                result = self._run_one(session, statement, None)
            yield result

    def run_frame(
        self, session: Session, build: Callable[[FrameBinder], DataFrame], *, shown: str
    ) -> Result:
        """Run a query that is built from expressions instead of text.

        Args:
            session: whose settings hold.
            build: makes the query from tables that the binder binds.
            shown: what ``system.queries`` calls it.

        Raises:
            IglooError: a table, a type or a source in it is wrong.
        """
        query = Query(shown, timeout_s=session.settings.timeout_s)
        self.history.add(query)
        query.start_clock()
        planner = self.planner(session)
        binder = FrameBinder(planner.context, self.native, query.activity)
        with self._ending(query):
            frame = build(binder)
            physical = frame.execution_plan()
            schema = plain_schema(frame.schema())
        planned = PlannedQuery(frame=frame, physical=physical, schema=schema, warnings=())
        return self._streamed(planned, planner, query)

    def register(self, name: str, source: object) -> None:
        """Make Arrow data a table of the session's starting schema, replacing one of its name.

        Raises:
            InvalidValue: the name is empty, or the data is of a kind that cannot be read.
        """
        if not name:
            raise InvalidValue("A table cannot be registered under an empty name.")
        path = TablePath(MEMORY, START.schema, name)
        if self.views.get(path) is not None:
            raise AlreadyExists(
                f'There is a view "{path}" already.', hint="Drop it, or use another name."
            )
        self.memory.put(path.name, source)
        self.external.drop(path)

    def unregister(self, name: str) -> None:
        """Remove a registered table.

        Raises:
            TableNotFound: nothing is registered under this name.
        """
        self.memory.remove(TableName(START.schema, name))
        self.native.forget_memory(TablePath(MEMORY, START.schema, name))

    def cancel(self) -> None:
        """Stop every statement that runs; safe from any thread."""
        self.history.cancel_all()

    def close(self) -> None:
        """Stop every query and close every catalog. Safe to call twice."""
        self.cancel()
        self.catalogs.close()
        self._contexts.close()

    def planner(self, session: Session) -> Planner:
        """Return a planner for the session's settings as they are now."""
        settings = session.settings
        context = self._contexts.get(
            ContextSettings(
                memory_limit_bytes=settings.memory_limit_bytes,
                spill_bytes=settings.limits_spill_bytes,
                target_partitions=settings.target_partitions,
                batch_rows=settings.batch_rows,
                timezone=settings.timezone,
            )
        )
        return Planner(
            context=context,
            catalogs=self.catalogs,
            resolver=self.resolver,
            native=self.native,
            settings=settings,
        )

    def _run_one(self, session: Session, text: str, parameters: Parameters) -> Result:
        tokens = tokenize(text, bytes_max=session.settings.limits_statement_bytes)
        return self._run_tokens(session, tokens, parameters)

    def _run_tokens(self, session: Session, tokens: Tokens, parameters: Parameters) -> Result:
        settings = session.settings
        check_depth(tokens, depth_max=settings.limits_nesting_depth)
        check_terms(tokens, terms_max=settings.limits_expression_terms)
        statement = parse_statement(tokens)
        query = Query(_shown(tokens.text), timeout_s=settings.timeout_s)
        self.history.add(query)
        query.start_clock()
        with self._ending(query):
            return self._answer(session, tokens, statement, parameters, query)

    @contextlib.contextmanager
    def _ending(self, query: Query) -> Iterator[None]:
        """End the query with whatever goes wrong in the block, in Igloo's words."""
        try:
            yield
        except Exception as error:
            stopped = query.token.failure() if query.token.is_cancelled else None
            failure = stopped or query.activity.failure or translate_failure(error)
            _redact(failure)
            query.token.cancel(copy(failure))
            query.end(failure)
            if failure is error:
                raise
            raise failure from error
        except BaseException:
            query.cancel()
            query.end(query.token.reason)
            raise

    def _answer(
        self,
        session: Session,
        tokens: Tokens,
        statement: st.Statement,
        parameters: Parameters,
        query: Query,
    ) -> Result:
        bound, values = bind_parameters(tokens, parameters)
        if isinstance(statement, st.Query):
            return self._select(session, bound, values, query)
        if bound != tokens.text:
            statement = parse_statement(tokenize(bound, bytes_max=len(bound.encode())))
        query.move(QueryState.RUNNING)
        answer = run_command(self, session, statement, query, values)
        query.end(None)
        return self._held(answer, query)

    def _select(
        self, session: Session, text: str, values: dict[str, pa.Scalar[Any]], query: Query
    ) -> Result:
        planner = self.planner(session)
        planned = planner.plan(text, values, session.place, query.activity)
        query.warnings = planned.warnings
        return self._streamed(planned, planner, query)

    def _streamed(self, planned: PlannedQuery, planner: Planner, query: Query) -> Result:
        query.token.raise_if_cancelled()
        query.partitions = planned.physical.partition_count
        query.move(QueryState.READY)

        def open_stream() -> BatchStream:
            query.token.raise_if_cancelled()
            query.move(QueryState.RUNNING)
            return PlanStream(
                planner.context, planned.physical, planned.schema, query.activity, query.end
            )

        return Result(
            schema=planned.schema,
            open_stream=open_stream,
            stats=query.stats,
            cancel=query.cancel,
            rows_kept_max=planner.settings.limits_result_rows_kept or 0,
        )

    def _held(self, answer: Answer, query: Query) -> Result:
        table = answer if answer is not None else pa.schema([]).empty_table()
        query.activity.returned(table.num_rows)
        return Result(
            schema=table.schema,
            open_stream=lambda: _HeldStream(table),
            stats=query.stats,
            cancel=query.cancel,
        )

    def _may_wait(self) -> bool:
        """Whether sources may let queries wait, as far as it can be told now."""
        kinds = {row.connector for row in self.catalogs.rows() if row.origin != BUILT_IN}
        return self.memory.has_streams or not kinds or not kinds <= _LOCAL_KINDS

    def _catalog_rows(self) -> list[dict[str, object]]:
        return [
            {
                "name": row.name,
                "connector": row.connector,
                "origin": row.origin,
                "is_open": row.is_open,
            }
            for row in self.catalogs.rows()
        ]


#: Connectors whose sources do not let wait: files of this machine.
_LOCAL_KINDS = frozenset({"files", "iceberg"})


class _HeldStream:
    """Rows that are there already."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        yield from self._table.to_batches()

    def close(self) -> None:
        """Nothing is held open."""


def _shown(text: str) -> str:
    """Return the text for the history; options of a catalog, and URLs, may hold a password."""
    if _TAKES_OPTIONS.search(text):
        text = _OPTIONS.sub(lambda found: f"{found[1]} (…)", text)
    return redact_uri(text)


_TAKES_OPTIONS = re.compile(r"\b(create|copy)\b.*\b(catalog|options)\b", re.IGNORECASE | re.DOTALL)
_OPTIONS = re.compile(r"\b(with|options)\s*\(.*", re.IGNORECASE | re.DOTALL)


@contextlib.contextmanager
def _redacted() -> Iterator[None]:
    try:
        yield
    except IglooError as error:
        _redact(error)
        raise


def _redact(error: IglooError) -> None:
    """Take passwords out of an error that quotes what the user wrote."""
    error.message, error.hint = redact_uri(error.message), redact_uri(error.hint)
    error.args = (f"{error.message} {error.hint}".strip(),)
    for name, value in error.context.items():
        if isinstance(value, str):
            error.context[name] = redact_uri(value)
