"""Refuses a file that is too large for the repository."""

from __future__ import annotations

import sys
from pathlib import Path

BYTES_MAX = 1_000_000


def main(paths: list[str]) -> int:
    """Name each of the files that is above the limit."""
    large = [p for p in paths if Path(p).is_file() and Path(p).stat().st_size > BYTES_MAX]
    for path in large:
        print(f"{path} is larger than {BYTES_MAX} bytes.", file=sys.stderr)
    return 1 if large else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
