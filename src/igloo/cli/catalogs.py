"""``igloo catalogs``: lists the catalogs of a connection."""

from __future__ import annotations

from typing import Annotated

import typer

from igloo.cli.options import (  # noqa: TC001 - typer reads annotations at run time
    Assignments,
    ConfigPath,
    Target,
    Verbose,
)
from igloo.cli.render import ROWS_SHOWN, Format
from igloo.cli.statements import Opening, run_statements


def catalogs(
    output_format: Annotated[
        Format | None,
        typer.Option("--format", help="table on a terminal, csv in a pipe, unless given."),
    ] = None,
    connect: Target = None,
    config: ConfigPath = None,
    assignments: Assignments = None,
    verbose: Verbose = False,  # noqa: ARG001, FBT002 - its callback has noted it
) -> int:
    """List the catalogs: name, connector, and where each is configured."""
    return run_statements(
        Opening(target=connect, config=config, assignments=assignments),
        lambda connection: [connection.sql("SHOW CATALOGS")],
        wanted=output_format,
        rows_max=ROWS_SHOWN,
    )
