"""Finds functions of a file scan that the optimizer left where no file is known.

``input_file_name()`` and ``file_row_index()`` are computed inside of a scan of files. DataFusion 55
moves them there, except where common subexpressions of a filter put a projection in the way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datafusion import DataFrame

_FUNCTIONS = ("input_file_name()", "file_row_index()")


def strands_source_functions(frame: DataFrame) -> bool:
    """Return whether the optimized plan of ``frame`` would compute such a function too late."""
    if not _mentions(frame.logical_plan().display_indent()):
        return False
    lines = frame.optimized_logical_plan().display_indent().splitlines()
    return any(
        _mentions(line) and not following.lstrip().startswith("TableScan:")
        for line, following in zip(lines, [*lines[1:], ""], strict=True)
    )


def _mentions(text: str) -> bool:
    return any(function in text for function in _FUNCTIONS)
