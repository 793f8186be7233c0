"""Values for ``?``, ``$1`` and ``$name``."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from igloo.engine.planner.tokens import TokenType
from igloo.errors import InvalidValue

if TYPE_CHECKING:
    from igloo.engine.planner.tokens import Tokens

Parameters = Sequence[object] | Mapping[str, object] | None


def bind_parameters(
    tokens: Tokens, parameters: Parameters
) -> tuple[str, dict[str, pa.Scalar[Any]]]:
    """Return the text with ``?`` numbered, and each placeholder's value by its name.

    Args:
        tokens: the statement.
        parameters: a list or tuple for ``?`` and ``$1 …``, a mapping for ``$name``.

    Raises:
        InvalidValue: a value is missing, left over, or of a type that SQL has not; or the kinds of
            placeholders are mixed.
    """
    marks = _question_marks(tokens)
    names = _dollar_names(tokens)
    if marks and names:
        raise InvalidValue("The statement mixes ? with $.", hint="Use one kind of placeholder.")
    if parameters is None:
        parameters = ()
    if isinstance(parameters, Mapping):
        return tokens.text, _named(marks, names, parameters)
    if isinstance(parameters, str | bytes) or not isinstance(parameters, Sequence):
        raise InvalidValue(
            f"Parameters cannot be given as {type(parameters).__name__}.",
            hint="Give a list or tuple for ? and $1, or a dict for $name.",
        )
    return _positional(tokens.text, marks, names, parameters)


def _question_marks(tokens: Tokens) -> list[int]:
    return [t.start for t in tokens.tokens if t.token_type == TokenType.PLACEHOLDER]


def _dollar_names(tokens: Tokens) -> list[str]:
    """Return the names after ``$`` in order of first use."""
    names: dict[str, None] = {}
    for token, following in zip(tokens.tokens, tokens.tokens[1:], strict=False):
        adjacent = following.start == token.end + 1
        if token.token_type == TokenType.PARAMETER and token.text == "$" and adjacent:
            names[following.text] = None
    return list(names)


def _named(
    marks: list[int], names: list[str], parameters: Mapping[str, object]
) -> dict[str, pa.Scalar[Any]]:
    if marks or any(name.isdigit() for name in names):
        raise InvalidValue(
            "A dict of parameters goes with $name.", hint="Give a list for ? and $1."
        )
    _compare_names(set(names), set(parameters))
    return {name: _as_scalar(value, f"${name}") for name, value in parameters.items()}


def _positional(
    text: str, marks: list[int], names: list[str], parameters: Sequence[object]
) -> tuple[str, dict[str, pa.Scalar[Any]]]:
    if any(not name.isdigit() for name in names):
        raise InvalidValue(
            "A list of parameters goes with ? and $1.", hint="Give a dict for $name."
        )
    wanted = len(marks) or max((int(name) for name in names), default=0)
    if wanted != len(parameters):
        raise InvalidValue(
            f"The statement has {wanted} parameter{'' if wanted == 1 else 's'}, "
            f"{len(parameters)} {'was' if len(parameters) == 1 else 'were'} given."
        )
    for number, position in reversed(list(enumerate(marks, start=1))):
        after = text[position + 1 :]
        # A word right behind would become a part of the placeholder's name.
        gap = " " if after[:1].isalnum() or after[:1] == "_" else ""
        text = f"{text[:position]}${number}{gap}{after}"
    unused = {str(i + 1) for i in range(wanted)} - set(names) if not marks else set()
    if unused:
        raise InvalidValue(f"The statement does not use ${min(unused, key=int)}.")
    values = {str(i): _as_scalar(v, f"${i}") for i, v in enumerate(parameters, start=1)}
    return text, values


def _compare_names(wanted: set[str], given: set[str]) -> None:
    missing, unused = sorted(wanted - given), sorted(given - wanted)
    if missing:
        raise InvalidValue(f"The parameter ${missing[0]} has no value.")
    if unused:
        raise InvalidValue(f"The statement does not use ${unused[0]}.")


def _as_scalar(value: Any, place: str) -> pa.Scalar[Any]:
    if isinstance(value, pa.Scalar):
        return value
    if isinstance(value, uuid.UUID):
        value = str(value)
    if isinstance(value, bytearray | memoryview):
        value = bytes(value)
    if type(value).__module__ == "numpy" and hasattr(value, "item"):
        value = value.item()
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        if not -(10**38) < value < 10**38:
            raise InvalidValue(f"The parameter {place} is an integer of more than 38 digits.")
        return pa.scalar(value, pa.decimal128(38, 0))
    try:
        return pa.scalar(list(value) if isinstance(value, tuple) else value)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
        raise InvalidValue(
            f"The parameter {place} has a value of type {type(value).__name__}, which SQL has not.",
            hint="Give a number, text, bytes, date, time, bool, None, or a list of them.",
        ) from error
