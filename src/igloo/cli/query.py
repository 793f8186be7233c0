"""``igloo query``: runs SQL and writes the rows."""

from __future__ import annotations

import sys
from pathlib import Path  # noqa: TC003 - typer reads annotations at run time
from typing import TYPE_CHECKING, Annotated

import typer

from igloo.cli.failures import Misuse
from igloo.cli.options import (  # noqa: TC001 - typer reads annotations at run time
    Assignments,
    ConfigPath,
    Target,
    Verbose,
)
from igloo.cli.render import ROWS_SHOWN, Format
from igloo.cli.statements import Connection, Opening, run_statements
from igloo.errors import SqlSyntaxError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from igloo.result import Result


def query(  # noqa: PLR0913, PLR0917 - each is a flag
    sql: Annotated[str | None, typer.Argument(help="Statements, separated by semicolons.")] = None,
    file: Annotated[
        Path | None,
        typer.Option("--file", "-f", metavar="FILE", help="Read the SQL from a file; - is stdin."),
    ] = None,
    output_format: Annotated[
        Format | None,
        typer.Option("--format", help="table on a terminal, csv in a pipe, unless given."),
    ] = None,
    max_rows: Annotated[
        int, typer.Option("--max-rows", min=1, help="Rows that a table shows.")
    ] = ROWS_SHOWN,
    connect: Target = None,
    config: ConfigPath = None,
    assignments: Assignments = None,
    verbose: Verbose = False,  # noqa: ARG001, FBT002 - its callback has noted it
) -> int:
    r"""Run SQL and write the rows to standard output.

    A script writes one result after the other, an empty line between, and stops at the first
    error; arrow and parquet take one statement.

    csv: NULL is an empty field, empty text is "". json, ndjson: decimals, dates and bytes are
    strings, so no digit is lost; so are NaN and the infinities; a repeated column name gets a
    number. Bytes are \x and hexadecimal digits, durations ISO 8601.
    """
    text = statement_text(sql, file)

    def statements(connection: Connection) -> Iterable[Result]:
        if output_format is None or not output_format.is_binary:
            return connection.run_script(text)
        try:
            return [connection.sql(text)]
        except SqlSyntaxError as error:
            number = error.context.get("statements", 1)
            if number == 1:
                raise
            message = f"--format {output_format} takes one statement, and there are {number}."
            raise Misuse(message) from error

    return run_statements(
        Opening(target=connect, config=config, assignments=assignments),
        statements,
        wanted=output_format,
        rows_max=max_rows,
    )


def statement_text(sql: str | None, file: Path | None) -> str:
    """Return the SQL that was given as an argument, in a file, or on standard input.

    Raises:
        Misuse: both were given, or none, or the file cannot be read.
    """
    if sql is not None and file is not None:
        raise Misuse("Give the SQL as an argument or with -f FILE, not both.")
    if sql is not None:
        return sql
    if file is None:
        raise Misuse("Give the SQL as an argument, or with -f FILE (-f - reads standard input).")
    try:
        content = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        return content.decode("utf-8-sig")
    except OSError as error:
        raise Misuse(f'The file "{file}" cannot be read: {error.strerror}.') from error
    except UnicodeDecodeError as error:
        raise Misuse(f'The file "{file}" is not UTF-8 text at byte {error.start}.') from error
