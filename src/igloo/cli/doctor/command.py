"""``igloo doctor``: the command and its flags."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from igloo.cli.colours import NoColour  # noqa: TC001 - typer reads annotations at run time
from igloo.cli.failures import FAILED, Misuse
from igloo.cli.interrupt import run_interruptibly
from igloo.cli.options import (
    Assignments,
    ConfigPath,
    Target,
    Verbose,
    read_assignments,
)
from igloo.cli.output import standard_output, until_reader_leaves
from igloo.cli.scratch import scratch_folder
from igloo.cli.statements import Opening, connected
from igloo.errors import IglooError, InvalidSetting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from igloo.cli.doctor.findings import Finding
    from igloo.config.load import Config

_LIMIT_S = 10.0


class ReportFormat(StrEnum):
    """How the report is written."""

    TEXT = "text"
    JSON = "json"


def doctor(  # noqa: PLR0913, PLR0917 - each is a flag
    output_format: Annotated[
        ReportFormat, typer.Option("--format", help="For people or for programs.")
    ] = ReportFormat.TEXT,
    timeout_s: Annotated[
        float,
        typer.Option("--timeout", metavar="SECONDS", min=0.1, help="What a catalog may take."),
    ] = _LIMIT_S,
    no_colour: NoColour = False,  # noqa: ARG001, FBT002 - its callback has noted it
    connect: Target = None,
    config: ConfigPath = None,
    assignments: Assignments = None,
    verbose: Verbose = False,  # noqa: ARG001, FBT002 - its callback has noted it
) -> int:
    """Look at what is installed, the configuration, the limits, and whether each catalog answers.

    Each line says ok, warning or broken, and what to do. The exit code is 1 if something is broken.
    """
    opening = Opening(target=connect, config=config, assignments=assignments)
    _check_flags(opening)
    output = standard_output()

    def examine() -> int:
        from igloo.cli.doctor.findings import Status, as_json, as_text, worst

        findings = run_interruptibly(lambda _token: list(_findings(opening, timeout_s)))
        is_json = output_format is ReportFormat.JSON
        report = as_json(findings) if is_json else as_text(findings, sys.stdout)
        output.write(report.encode("utf-8", "backslashreplace"))
        output.flush()
        return FAILED if worst(findings) is Status.BROKEN else 0

    return until_reader_leaves(output, examine)


def _check_flags(opening: Opening) -> None:
    """Refuse what no configuration could mend.

    Raises:
        Misuse: a flag is wrong.
        NotSupported: the target is a server.
    """
    from igloo.config.settings import FLAG, Settings

    target = opening.target
    if target is not None and (opening.config is not None or not target.endswith(".toml")):
        with connected(opening):
            pass
    try:
        for name, value in read_assignments(opening.assignments).items():
            Settings.defaults().with_value(name, value, origin=FLAG)
    except InvalidSetting as error:
        raise Misuse(str(error)) from error


def _findings(opening: Opening, limit_s: float) -> Iterator[Finding]:
    from igloo.cli.doctor.configured import AREA, configured
    from igloo.cli.doctor.findings import failure
    from igloo.cli.doctor.installed import installed
    from igloo.cli.doctor.limits import limits
    from igloo.config.settings import Settings

    yield from installed()
    try:
        config = _load(opening)
    except IglooError as error:
        # What the limits are without it, and no catalog: nobody knows which there are.
        yield failure(AREA, "settings and catalogs", error)
        yield from limits(Settings.defaults())
        return
    yield from configured(config)
    yield from limits(config.settings)
    yield from _answers(opening, limit_s)


def _load(opening: Opening) -> Config:
    from igloo.config.load import load_config

    named = opening.config or (Path(opening.target) if opening.target else None)
    return load_config(path=named, overrides=read_assignments(opening.assignments))


def _answers(opening: Opening, limit_s: float) -> Iterator[Finding]:
    from igloo.cli.doctor.findings import failure
    from igloo.cli.doctor.reachable import ENGINE_AREA, engine_answers, reachable

    with scratch_folder():
        try:
            with connected(opening) as connection:
                yield engine_answers(connection)
                yield from reachable(connection, limit_s=limit_s)
        except Exception as error:  # noqa: BLE001 - the engine is one of the things that may be broken
            yield failure(ENGINE_AREA, "connection", error)
