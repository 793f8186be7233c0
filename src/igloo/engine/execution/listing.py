"""One native DataFusion table over an explicit list of files."""

from __future__ import annotations

import functools
import logging
import os
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet as pq
from datafusion import CsvReadOptions, DataFrame, SessionContext, functions
from datafusion.plan import LogicalPlan

from igloo.connectors.file_scan import FileFormat
from igloo.engine.execution.plan_bytes import with_json_array, with_paths
from igloo.errors import NotSupported, SourceDataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from igloo.connectors.file_scan import FileScan

_URL = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<authority>[^/]*)(?P<path>.*)", re.DOTALL
)
_LOG = logging.getLogger(__name__)


def read_files(
    ctx: SessionContext, scan: FileScan, paths: Sequence[str], file_schema: pa.Schema | None
) -> DataFrame:
    """Return all rows of some files of one scan, as one native table.

    Args:
        ctx: where the plan is made; nothing is registered in it.
        scan: says the format and how it is written; its groups are not looked at.
        paths: at least one, as ``DataFile.path``. More than one needs ``self_check``.
        file_schema: columns to read; None lets the reader look into the first file.
    """
    urls = tuple(file_url(path) for path in paths)
    template = _one_file(ctx, scan, urls[0], file_schema)
    is_array = scan.format is FileFormat.JSON and scan.json.is_array
    if len(urls) == 1 and not is_array:
        return template
    plan = with_paths(template.logical_plan().to_bytes(ctx), urls)
    if is_array:
        plan = with_json_array(plan)
    return ctx.create_dataframe_from_logical_plan(LogicalPlan.from_bytes(ctx, plan))


def _one_file(
    ctx: SessionContext, scan: FileScan, url: str, file_schema: pa.Schema | None
) -> DataFrame:
    match scan.format:
        case FileFormat.PARQUET:
            return ctx.read_parquet(url, file_extension="", schema=file_schema)
        case FileFormat.ARROW:
            return ctx.read_arrow(url, file_extension="", schema=file_schema)
        case FileFormat.JSON:
            return ctx.read_json(
                url,
                file_extension="",
                schema=file_schema,
                file_compression_type=scan.compression or None,
            )
        case FileFormat.CSV:
            options = CsvReadOptions(
                schema=file_schema,
                has_header=scan.csv.has_header,
                delimiter=scan.csv.delimiter,
                quote=scan.csv.quote,
                file_extension="",
                file_compression_type=scan.compression,
                # Otherwise a large file is cut at line ends, also at those inside of quotes.
                newlines_in_values=True,
            )
            return ctx.read_csv(url, options=options)


def file_url(path: str) -> str:
    """Return the URL under which DataFusion reads exactly the file ``path``.

    A bare path would be taken for a pattern where it holds ``*``, ``?`` or ``[``, and a URL is
    percent-decoded, so that a ``%`` in a name has to be encoded.

    Raises:
        NotSupported: the path is not absolute.
    """
    match = _URL.fullmatch(path)
    if match and match["scheme"].lower() != "file":
        return f"{match['scheme']}://{match['authority']}{quote(match['path'])}"
    return "file://" + quote(_local_path(path))


def reported_name(path: str) -> str:
    """Return what ``input_file_name()`` gives for rows of the file ``path``."""
    match = _URL.fullmatch(path)
    if match and match["scheme"].lower() != "file":
        return match["path"].lstrip("/")
    return _local_path(path).lstrip("/")


def check_local_files(paths: Iterable[str]) -> None:
    """Refuse a file that is gone: DataFusion takes its path for an empty folder.

    Raises:
        SourceDataError: names the first file that does not exist.
    """
    for path in paths:
        if not _is_remote(path) and not os.path.isfile(_local_path(path)):  # noqa: PTH113 - called for each of many files
            raise SourceDataError(
                f'The data file "{path}" does not exist any more.',
                hint="Run the query again; if it stays, the table is damaged.",
                path=path,
            )


def _is_remote(path: str) -> bool:
    match = _URL.fullmatch(path)
    return match is not None and match["scheme"].lower() != "file"


def _local_path(path: str) -> str:
    local = re.sub(r"^file:(//)?", "", path, flags=re.IGNORECASE)
    if not local.startswith("/"):
        raise NotSupported(f'The path "{path}" is not absolute.')
    parts = local.split("/")
    if ".." in parts:
        # URL readers drop ".." by spelling; on disk it means the parent of a link's target.
        return os.path.realpath(local)
    return "/" + "/".join(part for part in parts if part not in ("", "."))


@functools.cache
def self_check() -> bool:
    """Whether lists of files, file names and row numbers come out right; tried once a process.

    False means that the private plan format or the row functions are not what this code was
    written for: every file is then scanned by itself, which is right and slower.
    """
    with tempfile.TemporaryDirectory(prefix="igloo-self-check-") as folder:
        try:
            return _reads_two_files(Path(folder))
        except Exception:  # noqa: BLE001 - DataFusion raises nothing finer, and any failure means "no"
            _LOG.warning("Lists of files cannot be read at once; reading file by file.")
            return False


def _reads_two_files(folder: Path) -> bool:
    from igloo.connectors.file_scan import FileScan

    paths = [str(folder / "a b%20+é.parquet"), str(folder / "[c]*?.data")]
    for number, path in enumerate(paths):
        column = pa.array([10 * number, 10 * number + 1], pa.int64())
        pq.write_table(pa.table({"value": column}), path)
    scan = FileScan(format=FileFormat.PARQUET, groups=(), files_total=2)
    rows = read_files(SessionContext(), scan, paths, pa.schema([("value", pa.int64())]))
    found = rows.select(
        rows.col("value").alias("value"),
        functions.input_file_name().alias("file"),
        functions.file_row_index().alias("row"),
    ).to_pylist()
    names = [reported_name(path) for path in paths]
    expected = {(10 * n + row, names[n], row) for n in range(2) for row in range(2)}
    return len(found) == 4 and {(r["value"], r["file"], r["row"]) for r in found} == expected
