"""What a rule is: a way to write a statement so that DataFusion answers it right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import re
    from collections.abc import Callable

    import pyarrow as pa
    from sqlglot import exp

    from igloo.engine.planner.rewrite.facts import Facts
    from igloo.engine.planner.tokens import Tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule.

    Attributes:
        name: what it is called in tests and in the documentation.
        words: what a text must hold for the rule to apply; cheap, and may say yes too often.
        apply: changes the tree in place and returns it, or another one in its place.
        is_suspect: asks the tokens once more, before the statement is parsed.
        is_suspect_value: whether a parameter may need the rule, whatever the text is.
        is_cure: applies only to what DataFusion has refused.
    """

    name: str
    words: re.Pattern[str]
    apply: Callable[[exp.Expr, Facts], exp.Expr]
    is_suspect: Callable[[Tokens], bool] = lambda _tokens: True
    is_suspect_value: Callable[[pa.Scalar[Any]], bool] = lambda _value: False
    is_cure: bool = False
