"""``x SIMILAR TO 'a%'`` is searched for as a regular expression: it becomes the one that is meant."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sqlglot import exp

from igloo.engine.planner.rewrite.rule import Rule
from igloo.engine.planner.rewrite.syntax import CannotRewrite

if TYPE_CHECKING:
    from igloo.engine.planner.rewrite.facts import Facts

#: Escaped letters that mean the same in PostgreSQL's regular expressions and in DataFusion's.
_CLASSES = "dswDSW"


def _apply(tree: exp.Expr, facts: Facts) -> exp.Expr:
    for node in list(tree.find_all(exp.SimilarTo)):
        escape = "\\"
        target: exp.Expr = node
        if isinstance(node.parent, exp.Escape):
            target = node.parent
            escape = str(target.expression.this)
        pattern = _text(node.expression, facts)
        if pattern is None:
            raise CannotRewrite("SIMILAR TO needs a pattern that is written out")
        arguments = [node.this.copy(), exp.Literal.string(regular_expression(pattern, escape))]
        target.replace(exp.Anonymous(this="regexp_like", expressions=arguments))
    return tree


def _text(node: exp.Expr, facts: Facts) -> str | None:
    if isinstance(node, exp.Literal) and node.is_string:
        return str(node.this)
    given = facts.value_of(node)
    value = given.as_py() if given is not None else None
    return value if isinstance(value, str) else None


def regular_expression(pattern: str, escape: str = "\\") -> str:
    """Return the regular expression of a pattern of SIMILAR TO."""
    written: list[str] = []
    characters = iter(pattern)
    in_brackets = False
    for character in characters:
        if character == escape:
            written.append(_escaped(next(characters, None)))
        elif in_brackets:
            in_brackets = character != "]"
            written.append(rf"\{character}" if character in "[&~" else character)
        elif character == "[":
            in_brackets = True
            written.append(character)
        else:
            written.append(_translated(character))
    return f"(?s)^(?:{''.join(written)})$"


def _translated(character: str) -> str:
    match character:
        case "%":
            return ".*"
        case "_":
            return "."
        case "(":
            return "(?:"
        case "." | "^" | "$" | "\\":
            return f"\\{character}"
    return character


def _escaped(character: str | None) -> str:
    if character is None:
        raise CannotRewrite("its pattern of SIMILAR TO ends with the escape character")
    if character.isalnum() and character not in _CLASSES:
        raise CannotRewrite(f'its pattern of SIMILAR TO escapes "{character}"')
    return character if character.isspace() or character == "_" else f"\\{character}"


RULE = Rule(name="similar_to", words=re.compile(r"\bSIMILAR\s+TO\b", re.IGNORECASE), apply=_apply)
