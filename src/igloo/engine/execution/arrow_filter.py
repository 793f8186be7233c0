"""Reads the filter that DataFusion hands to a pyarrow Dataset.

DataFusion counts such a filter as applied exactly, by DataFusion's meaning of a comparison; Arrow's
own meaning differs for NaN. So the filter is taken apart into Igloo's predicate, whose meaning is
known, and is never evaluated as it came. A pyarrow Expression shows its parts in one place only:
its serialized form, an Arrow IPC file whose schema metadata is the tree in prefix order
(``call`` … ``end``, ``field_ref``, ``literal``) and whose columns are the literals and options.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from igloo.connectors.predicates import (
    And,
    Column,
    Comparison,
    ComparisonOperator,
    InList,
    IsNull,
    Literal,
    Not,
    Or,
    Predicate,
    conjoin,
    to_arrow,
)
from igloo.errors import InternalError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_COMPARISONS = {
    "equal": ComparisonOperator.EQUAL,
    "not_equal": ComparisonOperator.NOT_EQUAL,
    "less": ComparisonOperator.LESS,
    "less_equal": ComparisonOperator.LESS_OR_EQUAL,
    "greater": ComparisonOperator.GREATER,
    "greater_equal": ComparisonOperator.GREATER_OR_EQUAL,
}


@dataclass(frozen=True, slots=True)
class _Call:
    function: str
    arguments: tuple[_Node, ...]
    options: Any


_Node = Column | Literal | _Call


@dataclass(frozen=True, slots=True)
class ArrowFilter:
    """A filter in two parts, both of which have to hold.

    Attributes:
        predicate: the part that can be offered to a source.
        expressions: conjuncts that only Arrow can evaluate, with DataFusion's meaning.
        expression_columns: the columns that those read.
    """

    predicate: Predicate | None
    expressions: tuple[pc.Expression, ...] = ()
    expression_columns: frozenset[str] = frozenset()


def read_arrow_filter(expression: pc.Expression | pa.Scalar[Any], schema: pa.Schema) -> ArrowFilter:
    """Return what a pyarrow filter over a table of ``schema`` stands for.

    A filter that is a constant as a whole comes as a bare scalar.

    Raises:
        InternalError: the expression has a part that DataFusion 55 is not known to send.
    """
    if isinstance(expression, pa.Scalar):
        expression = pc.scalar(expression)  # type: ignore[arg-type] # stubs leave scalars out
    reduced: Any = expression.__reduce__()
    (serialized,) = reduced[1]
    with pa.ipc.open_file(serialized) as reader:
        literals = reader.get_batch(0)
        events = tuple(_metadata_pairs(reader.schema))
    offered: list[Predicate] = []
    kept: list[pc.Expression] = []
    kept_columns: set[str] = set()
    for node in _conjuncts(_read_node(events, literals)):
        predicate = _as_predicate(node)
        if predicate is None:
            kept.append(_as_expression(node, schema))
            kept_columns.update(_columns_of(node))
        else:
            offered.append(predicate)
    return ArrowFilter(conjoin(offered), tuple(kept), frozenset(kept_columns))


def _conjuncts(node: _Node) -> list[_Node]:
    return _chain(node, "and_kleene")


def _chain(node: _Node, function: str) -> list[_Node]:
    """Return the operands of a chain of one connective; the node itself if it is none."""
    # No recursion, here and in _read_node: a chain is as deep as it is long.
    operands: list[_Node] = []
    waiting = [node]
    while waiting:
        node = waiting.pop()
        if isinstance(node, _Call) and node.function == function:
            waiting += reversed(node.arguments)
        else:
            operands.append(node)
    return operands


@dataclass(slots=True)
class _OpenCall:
    function: str
    arguments: list[_Node]
    options: Any = None


def _read_node(events: Iterable[tuple[str, str]], literals: pa.RecordBatch) -> _Node:
    outermost = _OpenCall("", [])
    calls = [outermost]
    for key, value in events:
        match key:
            case "field_ref":
                calls[-1].arguments.append(Column(value))
            case "literal":
                calls[-1].arguments.append(Literal(literals.column(int(value))[0]))
            case "options":
                calls[-1].options = literals.column(int(value))[0]
            case "call":
                calls.append(_OpenCall(value, []))
            case "end":
                call = calls.pop()
                done = _Call(call.function, tuple(call.arguments), call.options)
                calls[-1].arguments.append(done)
            case _:
                raise InternalError(f'The filter holds "{key}", which is not known.')
    (node,) = outermost.arguments
    return node


def _as_predicate(node: _Node) -> Predicate | None:
    """Return the node as a predicate; None where a predicate cannot say it."""
    match node:
        case Column() | Literal():
            # A bare boolean is TRUE where it equals TRUE, and NULL where it is NULL.
            return Comparison(node, ComparisonOperator.EQUAL, Literal(pa.scalar(True)))
        case _Call("and_kleene" | "or_kleene" as function):
            chain = _chain(node, function)
            operands = tuple(p for p in map(_as_predicate, chain) if p is not None)
            if len(operands) < len(chain):
                return None
            return And(operands) if function == "and_kleene" else Or(operands)
        case _Call("invert", (operand,)):
            inner = _as_predicate(operand)
            return None if inner is None else Not(inner)
        case _Call("is_null", (Column() as column,)):
            return IsNull(column)
        case _Call("is_valid", (Column() as column,)):
            return Not(IsNull(column))
        case _Call("is_in", (Column() as column,), options) if options is not None:
            return InList(column, tuple(options["value_set"].values))
        case _Call(function, ((Column() | Literal()) as left, (Column() | Literal()) as right)):
            operator = _COMPARISONS.get(function)
            return None if operator is None else Comparison(left, operator, right)
    return None


def _as_expression(node: _Node, schema: pa.Schema) -> pc.Expression:
    predicate = _as_predicate(node)
    if predicate is not None:
        return to_arrow(predicate, schema)
    match node:
        case _Call("is_null", (operand,)):
            return pc.is_null(_as_expression(operand, schema))
        case _Call("is_valid", (operand,)):
            return pc.is_valid(_as_expression(operand, schema))
        case _Call("invert", (operand,)):
            return ~_as_expression(operand, schema)
        case _Call("and_kleene"):
            return reduce(and_, (_as_expression(n, schema) for n in _conjuncts(node)))
        case _Call("or_kleene"):
            return reduce(or_, (_as_expression(n, schema) for n in _chain(node, "or_kleene")))
        case _Call(function, (left, right)) if function in _COMPARISONS:
            # Only booleans can stand here: arithmetic never reaches a Dataset.
            compare = getattr(pc, function)
            both: pc.Expression = compare(
                _as_expression(left, schema), _as_expression(right, schema)
            )
            return both
    raise InternalError(f"The filter holds {_describe(node)}, which is not known.")


def _columns_of(node: _Node) -> Iterator[str]:
    if isinstance(node, Column):
        yield node.name
    elif isinstance(node, _Call):
        for argument in node.arguments:
            yield from _columns_of(argument)


def _describe(node: _Node) -> str:
    return f'the function "{node.function}"' if isinstance(node, _Call) else str(node)


class _ArrowSchema(ctypes.Structure):
    """The head of the Arrow C data interface's ArrowSchema; what follows is not read."""

    _fields_ = (
        ("format", ctypes.c_char_p),
        ("name", ctypes.c_char_p),
        ("metadata", ctypes.c_void_p),
    )


def _metadata_pairs(schema: pa.Schema) -> Iterator[tuple[str, str]]:
    """Yield the schema's metadata in order, repeated keys included; a dict would lose them."""
    capsule = schema.__arrow_c_schema__()
    get_pointer = ctypes.pythonapi.PyCapsule_GetPointer
    get_pointer.restype = ctypes.c_void_p
    get_pointer.argtypes = (ctypes.py_object, ctypes.c_char_p)
    address = get_pointer(capsule, b"arrow_schema")
    metadata = ctypes.cast(address, ctypes.POINTER(_ArrowSchema)).contents.metadata
    if metadata is None:
        return
    position = metadata

    def read_int() -> int:
        nonlocal position
        value = ctypes.c_int32.from_address(position).value
        position += 4
        return value

    def read_text() -> str:
        nonlocal position
        size = read_int()
        text = ctypes.string_at(position, size).decode()
        position += size
        return text

    pairs = [(read_text(), read_text()) for _ in range(read_int())]
    del capsule  # the metadata lies in memory that the capsule owns
    yield from pairs
