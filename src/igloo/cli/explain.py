"""``igloo explain``: shows how a statement would run, or ran."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from igloo.cli.options import (  # noqa: TC001 - typer reads annotations at run time
    Assignments,
    ConfigPath,
    Target,
    Verbose,
)
from igloo.cli.output import standard_output
from igloo.cli.statements import Connection, Opening, run_connected

if TYPE_CHECKING:
    from igloo.cancel import CancelToken
    from igloo.cli.progress import Progress


def explain(  # noqa: PLR0913, PLR0917 - each is a flag
    sql: Annotated[str, typer.Argument(help="One statement.")],
    analyze: Annotated[  # noqa: FBT002 - a flag
        bool, typer.Option("--analyze", help="Run the statement and show what happened.")
    ] = False,
    connect: Target = None,
    config: ConfigPath = None,
    assignments: Assignments = None,
    verbose: Verbose = False,  # noqa: ARG001, FBT002 - its callback has noted it
) -> int:
    """Show the plans of one statement: what each source is asked, and what Igloo does itself."""
    output = standard_output()
    statement = f"EXPLAIN {'ANALYZE ' if analyze else ''}{sql}"

    def write(connection: Connection, progress: Progress, token: CancelToken) -> None:
        from igloo.cli.table_format import sections

        with connection.sql(statement) as result, token.on_cancel(result.cancel):
            progress.follow(result)
            for batch in result:
                names, plans = (map(str, batch.column(i).to_pylist()) for i in (0, 1))
                lines = sections(zip(names, plans, strict=True))
                output.write("".join(f"{line}\n" for line in lines).encode())

    opening = Opening(target=connect, config=config, assignments=assignments)
    return run_connected(opening, write, output)
