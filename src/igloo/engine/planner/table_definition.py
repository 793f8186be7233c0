"""The columns of CREATE TABLE, read by DataFusion's own parser."""

from __future__ import annotations

from typing import TYPE_CHECKING

from igloo.engine.execution.conform import plain_schema
from igloo.engine.execution.failures import translate_failure
from igloo.engine.planner.tokens import TokenType, tokenize
from igloo.errors import NotSupported, SqlSyntaxError

if TYPE_CHECKING:
    import pyarrow as pa

#: Promises about rows that nothing in Igloo would keep.
_REFUSED = {"PRIMARY", "UNIQUE", "CHECK", "REFERENCES", "FOREIGN", "DEFAULT", "GENERATED"}


def read_table_definition(definition: str) -> pa.Schema:
    """Return the schema that ``(name type [NOT NULL], …)`` describes.

    Raises:
        NotSupported: a column has a constraint or default, or something follows the columns.
        SqlSyntaxError: the text is no list of columns.
        TypeMismatch: a type is not known.
    """
    tokens = tokenize(definition, bytes_max=len(definition.encode()))
    depth = 0
    for index, token in enumerate(tokens.tokens):
        if token.token_type == TokenType.L_PAREN:
            depth += 1
        elif token.token_type == TokenType.R_PAREN:
            depth -= 1
            if depth == 0 and index + 1 < len(tokens.tokens):
                raise SqlSyntaxError(
                    "Something follows the columns of the table.",
                    hint="Use CREATE TABLE name AS query to fill it.",
                )
        # Some are one token of two words, such as PRIMARY KEY.
        elif tokens.word(index).partition(" ")[0] in _REFUSED:
            raise NotSupported(
                f"{tokens.word(index)} is not supported in CREATE TABLE.",
                hint="Only column names, types and NOT NULL are.",
            )
    from datafusion import SessionConfig, SessionContext

    # Without a zone of its own a session makes TIMESTAMPTZ a timestamp that has none.
    scratch = SessionContext(SessionConfig({"datafusion.execution.time_zone": "UTC"}))
    try:
        scratch.sql(f"CREATE TABLE definition {definition}")
        schema = scratch.table("definition").schema()
    except Exception as error:
        raise translate_failure(error) from error
    return plain_schema(schema)
