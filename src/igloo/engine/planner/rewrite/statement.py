"""One statement on its way to DataFusion: rewritten once, planned as often as it takes."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from datafusion import col

from igloo.engine.planner.rewrite.facts import Facts
from igloo.engine.planner.rewrite.pipeline import rewrite, suspects
from igloo.engine.planner.rewrite.syntax import CannotRewrite, refused
from igloo.engine.planner.tokens import tokenize
from igloo.names import quote_identifier

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pyarrow as pa
    from datafusion import DataFrame

    #: Plans a text over bound tables, and gives the plan or what went wrong.
    Attempt = Callable[[str], tuple[DataFrame | None, Exception | None]]

#: What DataFusion says of statements that are right, and that it plans when written another way.
_CURABLE = re.compile(
    r"Projections require unique expression names|Ambiguous reference|ambiguous"
    r"|duplicate (un)?qualified field name|Physical plan does not support logical expression"
    r"|null_aware anti join only supports|Correlated scalar subquery|escape_char"
)
_WITH_QUERY_INSIDE = re.compile(r"\s*(INSERT|COPY)\b", re.IGNORECASE)


#: Texts remembered, and the length of the longest one.
TEXTS_MAX = 256
TEXT_LENGTH_MAX = 16_384


class _Texts:
    """The last texts that no rule changed, whatever their tables are. Thread-safe."""

    def __init__(self) -> None:
        self._texts: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.Lock()

    def __contains__(self, text: str) -> bool:
        with self._lock:
            return text in self._texts

    def add(self, text: str) -> None:
        """Remember a text, and forget the oldest one if there are too many."""
        if len(text) > TEXT_LENGTH_MAX:
            return
        with self._lock:
            self._texts[text] = None
            while len(self._texts) > TEXTS_MAX:
                self._texts.popitem(last=False)


_plain_texts = _Texts()


def is_curable(failure: Exception | None) -> bool:
    """Return whether a refusal of DataFusion may go away when the statement is rewritten."""
    return failure is not None and _CURABLE.search(str(failure)) is not None


@dataclass(slots=True)
class Statement:
    """A text, and what DataFusion gets instead of it.

    Attributes:
        text: the text as it was written.
        is_view: whether it is a view's.
        is_enabled: whether it may be rewritten.
        was_refused: whether DataFusion could not make a physical plan of it.
    """

    text: str
    values: Mapping[str, pa.Scalar[Any]]
    is_view: bool
    is_enabled: bool
    was_refused: bool = False
    #: The text that DataFusion plans; None until that is known.
    _planned_text: str | None = field(default=None)
    #: The names of the result's columns where the rewritten statement has others.
    _names: tuple[str, ...] = ()

    @property
    def first_text(self) -> str:
        """The text to bind names with."""
        return self._planned_text or self.text

    @property
    def repeated_names(self) -> tuple[str, ...]:
        """The names of the result's columns if one of them occurs twice in a rewritten one."""
        return self._names if len(set(self._names)) < len(self._names) else ()

    def plan(
        self, attempt: Attempt, frame: DataFrame | None, failure: Exception | None
    ) -> tuple[DataFrame | None, Exception | None]:
        """Return the plan of the statement, rewritten if need be, or what went wrong.

        Args:
            attempt: plans a text; all names are bound.
            frame: the plan of ``first_text``, if it has one.
            failure: what went wrong with ``first_text``.

        Raises:
            NotSupported: it would be answered wrongly, and cannot be rewritten.
        """
        if self._planned_text is not None:
            return self._named(frame), failure
        before, query, after = _query_inside(self.text)
        may_cure = self.was_refused or is_curable(failure)
        if not self.is_enabled or not (may_cure or self._is_suspect(query)):
            self._planned_text = self.text
            return frame, failure
        facts = self._facts(attempt, may_cure=may_cure)
        changed = self._rewrite(query, facts, is_right=failure is not None or self.was_refused)
        if changed == query:
            self._planned_text = self.text
            return frame, failure
        if before:
            own = _names_of(changed, attempt)
            names = () if facts.has_other_names else _names_of(query, attempt)
            changed = _renamed_text(changed, own, names or facts.original_names(own))
        rewritten, again = attempt(f"{before}{changed}{after}")
        if rewritten is None:
            return None, failure or again
        self._planned_text = f"{before}{changed}{after}"
        if not before:
            is_known = frame is not None and not facts.has_other_names
            written = frame.schema().names if frame is not None and is_known else []
            self._names = tuple(written) or facts.original_names(rewritten.schema().names)
        return self._named(rewritten), None

    def _rewrite(self, query: str, facts: Facts, *, is_right: bool) -> str:
        """Return the query as DataFusion should get it.

        Args:
            query: the query.
            facts: what is known about it.
            is_right: whether nothing wrong can come of it as it is, as DataFusion refuses it.

        Raises:
            NotSupported: it would be answered wrongly, and cannot be rewritten.
        """
        try:
            changed = rewrite(query, facts).text
        except CannotRewrite as error:
            if is_right:
                return query
            raise refused(str(error)) from error
        if changed == query and not (facts.was_asked or facts.may_cure or self._has_more):
            _plain_texts.add(query)
        return changed

    @property
    def _has_more(self) -> bool:
        """Whether more than the text decides what it becomes."""
        return bool(self.values) or self.is_view

    def _is_suspect(self, query: str) -> bool:
        if not self._has_more and query in _plain_texts:
            return False
        return suspects(query, self.values.values(), is_view=self.is_view)

    def _facts(self, attempt: Attempt, *, may_cure: bool) -> Facts:
        def plan_schema(text: str) -> pa.Schema | None:
            planned, _ = attempt(text)
            return None if planned is None else planned.schema()

        return Facts(
            plan_schema=plan_schema, values=self.values, is_view=self.is_view, may_cure=may_cure
        )

    def _named(self, frame: DataFrame | None) -> DataFrame | None:
        """Return the plan with the names of the original statement, if all are different."""
        if frame is None or not self._names or self.repeated_names:
            return frame
        names = frame.schema().names
        if tuple(names) == self._names:
            return frame
        pairs = zip(names, self._names, strict=True)
        return frame.select(*(col(quote_identifier(old)).alias(new) for old, new in pairs))


def _query_inside(text: str) -> tuple[str, str, str]:
    """Split INSERT and COPY into what stands before the query, the query, and what follows."""
    if _WITH_QUERY_INSIDE.match(text) is None:
        return "", text, ""
    tokens = tokenize(text, bytes_max=len(text) * 4)
    is_copy = tokens.starts_with("COPY")
    depth = 0
    for index, token in enumerate(tokens.tokens):
        word = tokens.word(index)
        if depth == int(is_copy) and word in {"SELECT", "WITH", "VALUES"}:
            end = len(text)
            if is_copy:
                end = _closing(tokens.tokens, index, tokens.word)
            return text[: token.start], text[token.start : end], text[end:]
        depth += (word == "(") - (word == ")")
    return text, "", ""


def _closing(tokens: Any, index: int, word: Callable[[int], str]) -> int:
    depth = 1
    while index < len(tokens) and depth:
        depth += (word(index) == "(") - (word(index) == ")")
        index += 1
    return int(tokens[index - 1].start)


def _names_of(query: str, attempt: Attempt) -> tuple[str, ...]:
    planned, _ = attempt(query)
    return () if planned is None else tuple(planned.schema().names)


def _renamed_text(query: str, own: tuple[str, ...], names: tuple[str, ...]) -> str:
    """Return a query around another one that gives its columns their names."""
    if own == names or len(set(names)) < len(names) or len(own) != len(names):
        return query
    shown = (
        f"{quote_identifier(old)} AS {quote_identifier(new)}"
        for old, new in zip(own, names, strict=True)
    )
    return f"SELECT {', '.join(shown)} FROM ({query}) AS __igloo_named"  # noqa: S608 - quoted
