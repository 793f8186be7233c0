"""``igloo config``: checks the configuration, and shows it with the origin of each value."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from igloo.cli.failures import MISUSED, Misuse, show_error
from igloo.cli.options import (
    Assignments,
    ConfigPath,
    Verbose,
    read_assignments,
)
from igloo.cli.output import standard_output, until_reader_leaves
from igloo.cli.render import Format, Rendering, default_format
from igloo.cli.safe_text import printable
from igloo.config.load import load_config
from igloo.errors import IglooError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from igloo.config.load import CatalogConfig, Config

#: Rows that no configuration of a person reaches: the table is shown whole.
_ALL_ROWS = 1_000_000

commands = typer.Typer(
    no_args_is_help=True, help="Check or show the configuration.", rich_markup_mode=None
)


@commands.command()
def check(
    config: ConfigPath = None,
    assignments: Assignments = None,
    verbose: Verbose = False,  # noqa: ARG001, FBT002 - its callback has noted it
) -> int:
    """Check igloo.toml, .env, the environment and the options of every catalog. Dials no source."""
    loaded = _load(config, assignments)
    _tell_notes(loaded)
    wrong = [error for catalog in loaded.catalogs if (error := _mistake(catalog, loaded))]
    for error in wrong:
        show_error(error, sys.stderr, is_verbose=False)
    if wrong:
        return MISUSED
    place = str(config) if config else "igloo.toml" if loaded.file else "no igloo.toml"
    number = len(loaded.catalogs)
    catalogs = f"{number} catalog{'' if number == 1 else 's'}"
    output = standard_output()

    def write() -> int:
        output.write(f"The configuration is valid ({place}, {catalogs}).\n".encode())
        output.flush()
        return 0

    return until_reader_leaves(output, write)


def _mistake(catalog: CatalogConfig, config: Config) -> Misuse | None:
    """Return what is wrong with the options of a catalog, if something is."""
    from igloo.connectors.options import read_options
    from igloo.connectors.registry import load_connector

    try:
        connector = load_connector(catalog.connector)
        options = read_options(
            connector.options_type,
            catalog.options,
            connector=catalog.connector,
            environment=config.environment,
            base=catalog.base,
        )
        connector(catalog.name, options).close()
    except IglooError as error:
        return Misuse(f'{catalog.origin}: The catalog "{catalog.name}" cannot be used: {error}')
    return None


@commands.command()
def show(
    output_format: Annotated[
        Format | None,
        typer.Option("--format", help="table on a terminal, csv in a pipe, unless given."),
    ] = None,
    config: ConfigPath = None,
    assignments: Assignments = None,
    verbose: Verbose = False,  # noqa: ARG001, FBT002 - its callback has noted it
) -> int:
    """Show every setting and catalog option in force, and where each comes from."""
    import pyarrow as pa

    output = standard_output()
    rendering = Rendering(format=output_format or default_format(output), rows_max=_ALL_ROWS)
    if rendering.format.is_binary and output.is_terminal:
        raise Misuse(f"--format {rendering.format} writes bytes: send it to a file with >.")
    loaded = _load(config, assignments)
    _tell_notes(loaded)
    names = ("name", "value", "default", "origin")
    columns = list(zip(*_rows(loaded), strict=True))
    table = pa.table([pa.array(column, pa.string()) for column in columns], names=list(names))

    def write() -> int:
        for note in rendering.write(table.schema, table.to_batches(), output):
            sys.stderr.write(f"note: {note}\n")
        output.flush()
        return 0

    return until_reader_leaves(output, write)


def _load(path: Path | None, assignments: Sequence[str] | None) -> Config:
    try:
        return load_config(path=path, overrides=read_assignments(assignments))
    except IglooError as error:
        raise Misuse(str(error)) from error


def _rows(config: Config) -> Iterator[tuple[str, str, str | None, str]]:
    for row in config.settings.rows():
        yield row.name, row.value, row.default, row.origin
    for catalog in config.catalogs:
        above = f"catalogs.{catalog.name}"
        yield f"{above}.connector", catalog.connector, None, catalog.origin
        for option, text in catalog.shown_options().items():
            yield f"{above}.{option}", text, None, catalog.origin


def _tell_notes(config: Config) -> None:
    for note in config.notes:
        sys.stderr.write(f"note: {printable(note)}\n")
