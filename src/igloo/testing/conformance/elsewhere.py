"""Reads pickled splits in a process of its own; the rows go to standard output as Arrow IPC."""

from __future__ import annotations

import pickle
import sys
from typing import Any

import pyarrow as pa

from igloo.cancel import CancelToken


def main() -> None:
    """Read (connector class, catalog, options, splits) from standard input."""
    connector_type, catalog, options, splits = pickle.load(sys.stdin.buffer)  # noqa: S301 - ours
    connector = connector_type(catalog, options)
    try:
        parts = [connector.read_split(split, CancelToken()).read_all() for split in splits]
        rows = pa.concat_tables(parts)
        output: Any = sys.stdout.buffer
        with pa.ipc.new_stream(output, rows.schema) as writer:
            writer.write_table(rows)
    finally:
        connector.close()


if __name__ == "__main__":
    main()
