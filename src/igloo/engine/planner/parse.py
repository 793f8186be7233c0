"""Recognises Igloo's own statements by their first tokens; every other text is a query."""

from __future__ import annotations

from typing import TYPE_CHECKING

from igloo.engine.planner import statements as st
from igloo.engine.planner.tokens import TokenType
from igloo.errors import NotSupported, SqlSyntaxError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable

    from igloo.engine.planner.tokens import Tokens

#: Statements that DataFusion would run and Igloo does not offer.
_REFUSED = {
    "DELETE": "DELETE",
    "UPDATE": "UPDATE",
    "MERGE": "MERGE",
    "TRUNCATE": "TRUNCATE",
    "ALTER": "ALTER",
    "PREPARE": "PREPARE",
    "EXECUTE": "EXECUTE",
    "DEALLOCATE": "DEALLOCATE",
    "BEGIN": "BEGIN",
    "START": "START TRANSACTION",
    "COMMIT": "COMMIT",
    "ROLLBACK": "ROLLBACK",
    "GRANT": "GRANT",
    "REVOKE": "REVOKE",
    "CALL": "CALL",
    "KILL": "KILL",
    "ANALYZE": "ANALYZE",
    "VACUUM": "VACUUM",
}


def parse_statement(tokens: Tokens) -> st.Statement:
    """Return the one statement in ``tokens``.

    Raises:
        SqlSyntaxError: it is empty, or one of Igloo's own statements is not written right.
        NotSupported: it is a statement that Igloo does not offer.
    """
    if not tokens.tokens:
        raise SqlSyntaxError("The statement is empty.", hint="Write a SELECT, for example.")
    first = tokens.word(0)
    parser = _PARSERS.get(first)
    if parser is not None:
        return parser(_Reader(tokens))
    if first in _REFUSED:
        raise NotSupported(f"{_REFUSED[first]} is not supported.")
    return st.Query(tokens.text)


class _Reader:
    """Reads tokens from left to right."""

    def __init__(self, tokens: Tokens) -> None:
        self.tokens = tokens
        self.index = 0

    def peek(self, *words: str) -> bool:
        """Return whether the next tokens are these words."""
        return all(self.tokens.word(self.index + i) == word for i, word in enumerate(words))

    def accept(self, *words: str) -> bool:
        """Step over these words if they come next."""
        if self.peek(*words):
            self.index += len(words)
            return True
        return False

    def expect(self, *words: str) -> None:
        """Step over these words, which have to come next."""
        for word in words:
            if not self.accept(word):
                raise self.error(f"expected {word}")

    @property
    def at_end(self) -> bool:
        """Whether all tokens are read."""
        return self.index >= len(self.tokens.tokens)

    def end(self) -> None:
        """Check that nothing follows."""
        if not self.at_end:
            raise self.error("expected the end of the statement")

    def rest(self) -> str:
        """Return the text that is left; there has to be some."""
        if self.at_end:
            raise self.error("something is missing")
        return self.tokens.text_from(self.index)

    def identifier(self, what: str = "a name") -> str:
        """Read one identifier; unquoted ones are folded to lower case."""
        if self.at_end:
            raise self.error(f"expected {what}")
        token = self.tokens.tokens[self.index]
        if token.token_type == TokenType.IDENTIFIER:
            self.index += 1
            return str(token.text)
        source = self.tokens.text[token.start : token.end + 1]
        if not (source[:1].isalpha() or source[:1] == "_") or token.token_type == TokenType.STRING:
            raise self.error(f"expected {what}")
        self.index += 1
        return source.lower()

    def name(self, parts_max: int = 3) -> st.Name:
        """Read a name of up to ``parts_max`` parts."""
        parts = [self.identifier()]
        while len(parts) < parts_max and self.accept("."):
            parts.append(self.identifier())
        return tuple(parts)

    def string(self, what: str) -> str:
        """Read one quoted string."""
        if self.at_end or self.tokens.tokens[self.index].token_type != TokenType.STRING:
            raise self.error(f"expected {what} in single quotes")
        self.index += 1
        return str(self.tokens.tokens[self.index - 1].text)

    def value(self) -> str:
        """Read the rest as one value, quoted or bare."""
        if self.at_end:
            raise self.error("expected a value")
        last = self.index == len(self.tokens.tokens) - 1
        if last and self.tokens.tokens[self.index].token_type == TokenType.STRING:
            return self.string("a value")
        start = self.tokens.tokens[self.index].start
        end = self.tokens.tokens[-1].end
        self.index = len(self.tokens.tokens)
        return self.tokens.text[start : end + 1]

    def options(self) -> dict[str, str]:
        """Read ``(name = 'value', …)``; names may have dots and need no quotes."""
        self.expect("(")
        options: dict[str, str] = {}
        while not self.accept(")"):
            if options:
                self.expect(",")
            name = self._option_name()
            self.accept("=")
            if name in options:
                raise self.error(f'the option "{name}" is given twice')
            options[name] = self._option_value(name)
        return options

    def brackets(self) -> None:
        """Step over ``( … )`` with all that it holds."""
        self.expect("(")
        depth = 1
        while depth:
            if self.at_end:
                raise self.error("expected )")
            depth += self.peek("(") - self.peek(")")
            self.index += 1

    def _option_name(self) -> str:
        if not self.at_end and self.tokens.tokens[self.index].token_type == TokenType.STRING:
            return self.string("an option")
        return ".".join(self.name(parts_max=4))

    def _option_value(self, name: str) -> str:
        if not self.at_end and self.tokens.tokens[self.index].token_type == TokenType.STRING:
            return self.string("a value")
        sign = "-" if self.accept("-") else ""
        token = None if self.at_end else self.tokens.tokens[self.index]
        bare = {TokenType.NUMBER, TokenType.TRUE, TokenType.FALSE}
        if token is None or token.token_type not in bare:
            raise self.error(f'expected the value of "{name}" in single quotes')
        self.index += 1
        return sign + str(token.text).lower()

    def error(self, what: str) -> SqlSyntaxError:
        """Return the error for the token that comes next."""
        if self.at_end:
            return SqlSyntaxError(f"The SQL cannot be read: {what} at the end.")
        token = self.tokens.tokens[self.index]
        line = self.tokens.text.count("\n", 0, token.start) + 1
        column = token.start - self.tokens.text.rfind("\n", 0, token.start)
        quoted = token.token_type in {TokenType.STRING, TokenType.IDENTIFIER}
        # What stands in quotes may be a secret.
        word = "…" if quoted else self.tokens.text[token.start : token.end + 1][:40]
        return SqlSyntaxError(
            f'The SQL cannot be read at line {line}, column {column}: {what}, found "{word}".',
            line=line,
            column=column,
        )


def _create(reader: _Reader) -> st.Statement:
    reader.expect("CREATE")
    or_replace = reader.accept("OR", "REPLACE")
    kinds: dict[str, Callable[[_Reader, bool], st.Statement]] = {
        "CATALOG": _create_catalog,
        "VIEW": _create_view,
        "TABLE": _create_table,
        "EXTERNAL": _create_external_table,
    }
    for word, parse in kinds.items():
        if reader.accept(word):
            return parse(reader, or_replace)
    word = reader.tokens.word(reader.index)
    raise NotSupported(
        f"CREATE {word} is not supported.".replace("  ", " "), hint=did_you_mean(word, kinds)
    )


def _if_not_exists(reader: _Reader) -> bool:
    return reader.accept("IF", "NOT", "EXISTS")


def _create_catalog(reader: _Reader, or_replace: bool) -> st.Statement:  # noqa: FBT001 - parsed word
    if_not_exists = _if_not_exists(reader)
    name = reader.identifier("the catalog's name")
    reader.expect("USING")
    connector = reader.identifier("the connector")
    options = reader.options() if reader.accept("WITH") else {}
    reader.end()
    return st.CreateCatalog(name, connector, options, or_replace, if_not_exists)


def _create_view(reader: _Reader, or_replace: bool) -> st.Statement:  # noqa: FBT001 - parsed word
    if_not_exists = _if_not_exists(reader)
    name = reader.name()
    columns: list[str] = []
    if reader.accept("("):
        while not reader.accept(")"):
            if columns:
                reader.expect(",")
            columns.append(reader.identifier("a column"))
    reader.expect("AS")
    return st.CreateView(name, reader.rest(), tuple(columns), or_replace, if_not_exists)


def _create_table(reader: _Reader, or_replace: bool) -> st.Statement:  # noqa: FBT001 - parsed word
    if_not_exists = _if_not_exists(reader)
    name = reader.name()
    if reader.accept("AS"):
        return st.CreateTableAs(name, reader.rest(), or_replace, if_not_exists)
    if not reader.peek("("):
        raise reader.error("expected columns or AS")
    return st.CreateTable(name, reader.rest(), or_replace, if_not_exists)


def _create_external_table(reader: _Reader, or_replace: bool) -> st.Statement:  # noqa: FBT001 - parsed word
    reader.expect("TABLE")
    if_not_exists = _if_not_exists(reader)
    name = reader.name()
    if reader.peek("("):
        raise NotSupported(
            "Columns cannot be declared for an external table.",
            hint="Leave them out; they are read from the files.",
        )
    file_format = location = ""
    options: dict[str, str] = {}
    while not reader.at_end:
        if reader.accept("STORED", "AS"):
            file_format = reader.identifier("a format")
        elif reader.accept("LOCATION"):
            location = reader.string("the path")
        elif reader.accept("OPTIONS"):
            options = reader.options()
        else:
            raise reader.error("expected STORED AS, LOCATION or OPTIONS")
    if not file_format or not location:
        raise reader.error("expected STORED AS … LOCATION '…'")
    return st.CreateExternalTable(name, file_format, location, options, or_replace, if_not_exists)


def _drop(reader: _Reader) -> st.Statement:
    reader.expect("DROP")
    kinds: dict[str, Callable[[st.Name, bool], st.Statement]] = {
        "CATALOG": lambda name, if_exists: st.DropCatalog(name[0], if_exists),
        "VIEW": st.DropView,
        "TABLE": st.DropTable,
    }
    for word, make in kinds.items():
        if reader.accept(word):
            if_exists = reader.accept("IF", "EXISTS")
            name = reader.name(parts_max=1 if word == "CATALOG" else 3)
            reader.end()
            return make(name, if_exists)
    raise NotSupported(f"DROP {reader.tokens.word(reader.index)} is not supported.")


def _show(reader: _Reader) -> st.Statement:
    reader.expect("SHOW")
    if reader.accept("CATALOGS"):
        reader.end()
        return st.ShowCatalogs()
    if reader.accept("SCHEMAS") or reader.accept("DATABASES"):
        catalog = reader.identifier() if _from(reader) else None
        reader.end()
        return st.ShowSchemas(catalog)
    if reader.accept("TABLES"):
        name = reader.name(parts_max=2) if _from(reader) else ()
        reader.end()
        return st.ShowTables(name)
    if reader.accept("SETTINGS") or reader.accept("ALL"):
        reader.end()
        return st.ShowSettings()
    setting = ".".join(reader.name(parts_max=4))
    reader.end()
    return st.ShowSettings(setting)


def _from(reader: _Reader) -> bool:
    return reader.accept("FROM") or reader.accept("IN")


def _describe(reader: _Reader) -> st.Statement:
    reader.index += 1
    reader.accept("TABLE")
    name = reader.name()
    reader.end()
    return st.Describe(name)


def _explain(reader: _Reader) -> st.Statement:
    reader.expect("EXPLAIN")
    analyze = reader.accept("ANALYZE")
    reader.accept("VERBOSE")
    return st.Explain(reader.rest(), analyze)


def _set(reader: _Reader) -> st.Statement:
    reader.expect("SET")
    if reader.accept("TIME", "ZONE"):
        reader.accept("=")
        return st.SetSetting("igloo.timezone", reader.value())
    reader.accept("SESSION")
    name = ".".join(reader.name(parts_max=5))
    if not (reader.accept("=") or reader.accept("TO")):
        raise reader.error("expected = or TO")
    if reader.peek("DEFAULT"):
        return st.SetSetting(name, None)
    return st.SetSetting(name, reader.value())


def _reset(reader: _Reader) -> st.Statement:
    reader.expect("RESET")
    if reader.accept("ALL"):
        reader.end()
        return st.ResetSetting()
    name = ".".join(reader.name(parts_max=5))
    reader.end()
    return st.ResetSetting(name)


def _copy(reader: _Reader) -> st.Statement:
    reader.expect("COPY")
    if reader.peek("("):
        reader.brackets()
    else:
        reader.name()
    reader.expect("TO")
    return st.CopyTo(reader.tokens.text, reader.string("a path"))


def _use(reader: _Reader) -> st.Statement:
    reader.expect("USE")
    name = reader.name(parts_max=2)
    reader.end()
    return st.Use(name)


def _insert(reader: _Reader) -> st.Statement:
    reader.expect("INSERT")
    if not reader.accept("INTO"):
        raise NotSupported("Only INSERT INTO is supported.")
    return st.Insert(reader.name(), reader.tokens.text)


def _refresh(reader: _Reader) -> st.Statement:
    reader.expect("REFRESH", "TABLE")
    name = reader.name()
    reader.end()
    return st.RefreshTable(name)


_PARSERS: dict[str, Callable[[_Reader], st.Statement]] = {
    "CREATE": _create,
    "DROP": _drop,
    "SHOW": _show,
    "DESCRIBE": _describe,
    "DESC": _describe,
    "EXPLAIN": _explain,
    "SET": _set,
    "RESET": _reset,
    "USE": _use,
    "INSERT": _insert,
    "COPY": _copy,
    "REFRESH": _refresh,
}
