"""Words of the language, for completion and colours: keywords, functions, settings."""

from __future__ import annotations

import re
from functools import cache

from igloo.config.declared import SETTINGS

#: What a statement starts with.
STARTS = (
    "COPY", "CREATE", "DESCRIBE", "DROP", "EXPLAIN", "INSERT", "REFRESH", "RESET", "SELECT", "SET",
    "SHOW", "USE", "VALUES", "WITH",
)  # fmt: skip

#: What may follow a word, where that is nothing else.
FOLLOWERS = {
    "CREATE": ("CATALOG", "EXTERNAL TABLE", "OR REPLACE", "TABLE", "VIEW"),
    "REPLACE": ("CATALOG", "EXTERNAL TABLE", "TABLE", "VIEW"),
    "DROP": ("CATALOG", "TABLE", "VIEW"),
    "EXTERNAL": ("TABLE",),
    "GROUP": ("BY",),
    "INSERT": ("INTO",),
    "ORDER": ("BY",),
    "PARTITION": ("BY",),
    "REFRESH": ("TABLE",),
    "SHOW": ("CATALOGS", "SCHEMAS", "SETTINGS", "TABLES"),
    "STORED": ("AS",),
    "SCHEMAS": ("FROM",),
    "TABLES": ("FROM",),
    "NULLS": ("FIRST", "LAST"),
}

#: Words that may stand in the middle of a query.
KEYWORDS = (
    "ALL", "AND", "AS", "ASC", "BETWEEN", "BY", "CASE", "CAST", "CROSS JOIN", "DATE", "DESC",
    "DISTINCT", "ELSE", "END", "EXCEPT", "EXISTS", "EXTRACT", "FALSE", "FILTER", "FROM",
    "FULL JOIN", "GROUP BY", "HAVING", "ILIKE", "IN", "INNER JOIN", "INTERSECT", "INTERVAL", "IS",
    "JOIN", "LEFT JOIN", "LIKE", "LIMIT", "LOCATION", "NOT", "NULL", "NULLS", "OFFSET", "ON", "OR",
    "ORDER BY", "OVER", "PARTITION BY", "RECURSIVE", "RIGHT JOIN", "SELECT", "STORED AS", "THEN",
    "TIMESTAMP", "TO", "TRUE", "UNION", "UNION ALL", "USING", "VALUES", "WHEN", "WHERE", "WITH",
)  # fmt: skip

#: Every single word that is coloured.
COLOURED = frozenset(
    word
    for phrase in (*STARTS, *KEYWORDS, *FOLLOWERS, *sum(FOLLOWERS.values(), ()))
    for word in phrase.split()
)

#: Names that read as something else unless they are quoted.
RESERVED = frozenset(
    {
        "ALL", "AND", "AS", "ASC", "BETWEEN", "BY", "CASE", "CAST", "CROSS", "DESC", "DISTINCT",
        "ELSE", "END", "EXCEPT", "EXISTS", "FALSE", "FROM", "FULL", "GROUP", "HAVING", "IN",
        "INNER", "INTERSECT", "INTERVAL", "IS", "JOIN", "LEFT", "LIKE", "LIMIT", "NATURAL", "NOT",
        "NULL", "OFFSET", "ON", "OR", "ORDER", "RIGHT", "SELECT", "THEN", "TRUE", "UNION", "USING",
        "VALUES", "WHEN", "WHERE", "WITH",
    }
)  # fmt: skip

_NAME = re.compile(r"[a-z_][a-z0-9_]*\Z")


def setting_names() -> tuple[str, ...]:
    """Return the names of all settings."""
    return tuple(sorted(setting.name for setting in SETTINGS))


def setting_choices(name: str) -> tuple[str, ...]:
    """Return the values that a setting takes, if they are few."""
    return next((s.choices for s in SETTINGS if s.name == name.lower()), ())


@cache
def function_names() -> tuple[str, ...]:
    """Return the names of the functions; this loads DataFusion."""
    from datafusion import SessionConfig, SessionContext

    context = SessionContext(SessionConfig().with_information_schema(enabled=True))
    batches = context.sql("SELECT DISTINCT routine_name FROM information_schema.routines").collect()
    names = {str(name) for batch in batches for name in batch.column(0).to_pylist()}
    return tuple(sorted(name for name in names | {"remote_query"} if _NAME.match(name)))
