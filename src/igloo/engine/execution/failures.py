"""What DataFusion says when it fails, in Igloo's words.

DataFusion for Python raises plain ``Exception`` and ``ValueError`` with a text; the text is all
there is to go by. What is not recognised stays readable and becomes ``InternalError`` only where
DataFusion itself calls it a bug.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from igloo.errors import (
    ColumnNotFound,
    IglooError,
    InternalError,
    InvalidValue,
    LimitExceeded,
    NotSupported,
    OutOfMemory,
    SourceDataError,
    SourceUnavailable,
    SqlSyntaxError,
    TypeMismatch,
    UserError,
    did_you_mean,
)

if TYPE_CHECKING:
    from collections.abc import Callable

_PREFIXES = re.compile(
    r"^(DataFusion error: |Error during planning: |Execution error: |External error: "
    r"|Arrow error: |Schema error: |SQL error: |Optimizer rule '[a-z_]+' failed\s*caused by\s*"
    r"|[a-z_]+\s*caused by\s*|Context\(.*?\)\s*caused by\s*)+",
    re.DOTALL,
)


def translate_failure(error: BaseException) -> IglooError:
    """Return the Igloo error that says what ``error``, raised by DataFusion, means."""
    if isinstance(error, IglooError):
        return error
    text = str(error)
    message = _PREFIXES.sub("", text).strip() or type(error).__name__
    for pattern, make in _RULES:
        match = re.search(pattern, text, re.DOTALL)
        if match:
            return make(match, message)
    if type(error).__name__ in {"PanicException", "RustPanic"}:
        return InternalError(f"DataFusion panicked: {_sentence(message)}", hint=_REPORT)
    if type(error) not in _DATAFUSION_RAISES:
        return InternalError(f"{type(error).__name__}: {_sentence(message)}", hint=_REPORT)
    return UserError(f"The statement failed: {_sentence(message)}")


#: Exactly these classes, without subclasses, come from DataFusion for Python.
_DATAFUSION_RAISES = (Exception, ValueError, RuntimeError)
_REPORT = "This is a bug; please report it with the statement."


def _sentence(text: str) -> str:
    line = " ".join(text.split())
    return line if line.endswith((".", "!", "?")) else f"{line}."


def _syntax(match: re.Match[str], _message: str) -> IglooError:
    detail = match["detail"]
    place = re.search(r"at Line: (\d+), Column: (\d+)", detail)
    line, column = (int(place[1]), int(place[2])) if place else (None, None)
    detail = re.sub(r"\s*at Line: \d+, Column: \d+", "", detail)
    where = f" at line {line}, column {column}" if place else ""
    return SqlSyntaxError(
        f"The SQL cannot be read{where}: {_sentence(detail)}", line=line, column=column
    )


def _column(match: re.Match[str], _message: str) -> IglooError:
    wanted = match["name"].strip().replace('"', "")
    valid = re.search(r"Valid fields are (?P<names>.*?)\.\s*(?:$|\n)", match.string, re.DOTALL)
    known = [n.strip().replace('"', "") for n in valid["names"].split(",")] if valid else []
    bare = {name.rsplit(".", 1)[-1]: name for name in known}
    hint = did_you_mean(wanted.rsplit(".", 1)[-1], bare)
    place = re.search(r"Did you mean '(?P<name>[^']+)'", match.string)
    if place and not hint:
        hint = f'Did you mean "{place["name"]}"?'
    return ColumnNotFound(f'There is no column "{wanted}".', hint=hint, column=wanted)


def _says(kind: type[IglooError], start: str, hint: str = "") -> Callable[..., IglooError]:
    def make(_match: re.Match[str], message: str) -> IglooError:
        return kind(f"{start}{_sentence(message)}", hint=hint)

    return make


def _no_function(match: re.Match[str], _message: str) -> IglooError:
    return TypeMismatch(
        f"No function takes these types: {match['call']}.",
        hint="Add a CAST, or check the arguments.",
    )


def _unknown_function(match: re.Match[str], _message: str) -> IglooError:
    similar = re.search(r"Did you mean '(?P<name>[^']+)'", match.string)
    hint = f'Did you mean "{similar["name"]}"?' if similar else ""
    return NotSupported(f'There is no function "{match["name"]}".', hint=hint)


def _out_of_memory(_match: re.Match[str], message: str) -> IglooError:
    operator = re.search(r"for (?P<name>[A-Za-z]+)(?:\[\d+\])?", message)
    where = f" (in {operator['name']})" if operator else ""
    return OutOfMemory(
        f"The query needs more memory than igloo.memory_limit allows{where}.",
        hint="Raise igloo.memory_limit, lower igloo.batch_rows or igloo.target_partitions, or read less.",
        limit="igloo.memory_limit",
    )


def _too_deep(_match: re.Match[str], _message: str) -> IglooError:
    return SqlSyntaxError(
        "The SQL is nested too deeply to be read.",
        hint="Write it with fewer parentheses, or move parts into WITH.",
    )


_RULES: tuple[tuple[str, Callable[..., IglooError]], ...] = (
    (r"RecursionLimitExceeded|recursion limit exceeded", _too_deep),
    (r'(?:ParserError|TokenizerError)\("(?P<detail>.*)"\)', _syntax),
    (r"No field named (?P<name>\"?[^\s,]+?\"?)\.(?:\s|$)", _column),
    (
        r"Resources exhausted.*(temporary|disk space|max_temp_directory)",
        _says(
            LimitExceeded,
            "The query spilled more than igloo.limits.spill_bytes allows: ",
            "Raise igloo.limits.spill_bytes, or read fewer rows or columns.",
        ),
    ),
    (r"Resources exhausted", _out_of_memory),
    (
        r"Projections require unique expression names",
        _says(
            NotSupported, "Two columns of the result have one name: ", "Give each its own with AS."
        ),
    ),
    (
        r"non-nullable but contains null",
        _says(InvalidValue, "A NOT NULL column was given NULL: ", "Give every row a value."),
    ),
    (r"No function matches the given name and argument types '(?P<call>[^']*)'", _no_function),
    (r"Invalid function '(?P<name>[^']+)'", _unknown_function),
    (
        r"Divide by zero|DivideByZero",
        _says(InvalidValue, "", "Guard the divisor with NULLIF(x, 0)."),
    ),
    (
        r"Cast error|Parser error: Error (parsing|while)|Overflow|out of range|Invalid timezone",
        _says(InvalidValue, ""),
    ),
    (
        r"Parquet error|Parquet argument error|corrupt|Invalid Parquet file|page header|CsvError|Csv error|Json error|Ipc error|Avro error",
        _says(
            SourceDataError, "A file cannot be read: ", "Check that it is whole and of that format."
        ),
    ),
    (
        r"Object at location (?P<path>.+?) not found|No such file or directory",
        _says(SourceUnavailable, "A file has gone: "),
    ),
    (
        r"not implemented|not supported|[Uu]nsupported|NotImplemented|does not support",
        _says(NotSupported, "This SQL is not supported: "),
    ),
    (
        (
            r"type_coercion|[Cc]annot coerce|Cannot infer common|No function matches|coercion from"
            r"|does not match|Failed to coerce|cannot be cast|expects? .* argument"
        ),
        _says(TypeMismatch, "The types do not fit: "),
    ),
    (r"Internal error", _says(InternalError, "DataFusion failed: ", _REPORT)),
    (
        r"placeholder with name|Placeholder '[^']*' was not provided a value",
        _says(InvalidValue, "A parameter has no value: "),
    ),
)
