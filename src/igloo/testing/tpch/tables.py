"""The eight tables as Parquet files, made by ``tpchgen-cli``, and the text of the queries."""

from __future__ import annotations

import subprocess
import tempfile
from importlib.metadata import PackageNotFoundError, files
from importlib.resources import files as resources
from pathlib import Path
from typing import TYPE_CHECKING

from igloo.errors import InternalError, MissingDependency

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa

TABLES = (
    "region",
    "nation",
    "supplier",
    "customer",
    "part",
    "partsupp",
    "orders",
    "lineitem",
)
QUERY_NUMBERS = tuple(range(1, 23))

_GENERATOR = "tpchgen-cli"


def query(number: int) -> str:
    """Return the text of one query, its substitution parameters filled in with TPC's own values.

    Args:
        number: 1 to 22.
    """
    return (resources(__package__) / "queries" / f"q{number:02}.sql").read_text("utf-8").strip()


def make_parquet(folder: Path, scale: float, tables: Iterable[str] = TABLES) -> dict[str, Path]:
    """Make the tables that are not there yet and return the file of each.

    A file has its name only once it is whole, so a stopped run leaves nothing that a later one
    would take for data.

    Args:
        folder: where ``<table>.parquet`` goes; one folder for each scale.
        scale: 1 is about a gigabyte as text; lineitem has 6,000,000 rows times the scale.
        tables: names out of ``TABLES``.

    Raises:
        MissingDependency: the generator is not installed.
        InternalError: it failed; the message holds its last words.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = {table: folder / f"{table}.parquet" for table in tables}
    missing = [table for table, path in paths.items() if not path.exists()]
    if missing:
        with tempfile.TemporaryDirectory(dir=folder, prefix=".making-") as making:
            _generate(Path(making), scale, missing)
            for table in missing:
                (Path(making) / f"{table}.parquet").replace(paths[table])
    return paths


def read_plain(path: Path) -> pa.Table:
    """Read a file that was made here with the types that every source can hold."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    fields = [
        field.with_type(pa.string()) if pa.types.is_string_view(field.type) else field
        for field in table.schema
    ]
    return table.cast(pa.schema(field.remove_metadata() for field in fields))


def _generate(folder: Path, scale: float, tables: Iterable[str]) -> None:
    command = [
        *(str(_generator()), "parquet", "--quiet"),
        *("--scale-factor", str(scale), "--output-dir", str(folder)),
        *("--tables", ",".join(tables)),
    ]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise InternalError(f"{_GENERATOR} failed in {folder}: {done.stderr[-300:]}")


def _generator() -> Path:
    """Return the program's path; it need not be on PATH."""
    try:
        installed = files(_GENERATOR) or []
    except PackageNotFoundError as error:
        raise MissingDependency(
            f'The TPC-H data needs the package "{_GENERATOR}".',
            hint="Run: pip install 'igloo-sql[demo]'",
        ) from error
    for file in installed:
        if file.name == _GENERATOR:
            return Path(str(file.locate())).resolve()
    raise InternalError(f'The package "{_GENERATOR}" holds no program of that name.')
