"""Random statements over three small tables full of NULLs, of the shapes that engines get wrong.

Tables ``a``, ``b`` and ``c`` have the columns ``k``, ``s`` and ``v``: names repeat on purpose.
"""

import random

COLUMNS = ("k", "s", "v")
TABLES = ("a", "b", "c")


class RandomStatements:
    """Makes the same statement for the same seed."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.aliases = 0

    def new_alias(self):
        self.aliases += 1
        return f"t{self.aliases}"

    def choose(self, *choices):
        return self.random.choice(choices)()

    def column(self, scope):
        return f"{self.random.choice(scope)}.{self.random.choice(COLUMNS)}"

    def number(self):
        return str(self.random.randint(0, 4))

    # -- conditions ------------------------------------------------------------------------------

    def condition(self, scope, depth):
        """Return a condition over the tables of ``scope``."""
        if depth <= 0 or self.random.random() < 0.25:
            return self.leaf(scope)
        inner = lambda: self.condition(scope, depth - 1)  # noqa: E731 - short and local
        return self.choose(
            lambda: f"({inner()} AND {inner()})",
            lambda: f"({inner()} OR {inner()})",
            lambda: f"({inner()} OR {inner()})",
            lambda: f"NOT ({inner()})",
            lambda: f"(({inner()}) IS {self.random.choice(['', 'NOT '])}NULL)",
            lambda: f"(({inner()}) IS {self.random.choice(['TRUE', 'NOT TRUE', 'FALSE'])})",
            lambda: f"(CASE WHEN {inner()} THEN {inner()} ELSE {inner()} END)",
            lambda: f"COALESCE({inner()}, {self.random.choice(['TRUE', 'FALSE'])})",
            lambda: self.with_subquery(scope, depth),
            lambda: self.with_subquery(scope, depth),
            lambda: self.with_subquery(scope, depth),
        )

    def leaf(self, scope):
        column = self.column(scope)
        return self.choose(
            lambda: f"{column} {self.random.choice(['=', '<>', '<', '>='])} {self.number()}",
            lambda: f"{column} = {self.column(scope)}",
            lambda: f"{column} IS {self.random.choice(['', 'NOT '])}NULL",
            lambda: f"{column} {self.random.choice(['', 'NOT '])}IN ({self.values(scope)})",
            lambda: f"{column} {self.random.choice(['', 'NOT '])}IN ({self.values(scope)})",
            lambda: f"{column} IS {self.random.choice(['', 'NOT '])}DISTINCT FROM {self.number()}",
        )

    def values(self, scope):
        values = [self.number() for _ in range(self.random.randint(1, 3))]
        values += ["NULL"] * (self.random.random() < 0.2)
        values += [self.column(scope)] * (self.random.random() < 0.15)
        return ", ".join(values)

    def with_subquery(self, scope, depth):
        column = self.column(scope)
        outer = scope if self.random.random() < 0.35 else ()
        query = lambda: self.subquery(outer, depth - 1)  # noqa: E731 - short and local
        return self.choose(
            lambda: f"{column} IN ({query()})",
            lambda: f"{column} NOT IN ({query()})",
            lambda: f"{column} = ANY ({query()})",
            lambda: f"{column} <> ALL ({query()})",
            lambda: f"{self.random.choice(['', 'NOT '])}EXISTS ({query()})",
            lambda: f"{column} = {self.scalar(scope)}",
        )

    def subquery(self, outer, depth):
        """Return a query of one column, correlated to the tables of ``outer`` by an equality."""
        alias = self.new_alias()
        table = self.random.choice(TABLES)
        terms = [self.condition((alias,), depth - 1)] if self.random.random() < 0.6 else []
        if outer:
            terms.append(f"{alias}.{self.random.choice(COLUMNS)} = {self.column(outer)}")
        where = f" WHERE {' AND '.join(terms)}" if terms else ""
        return f"SELECT {alias}.{self.random.choice(COLUMNS)} FROM {table} {alias}{where}"

    def scalar(self, scope):
        alias = self.new_alias()
        column = self.random.choice(COLUMNS)
        value = self.random.choice([f"max({alias}.{column})", "count(*)", f"min({alias}.{column})"])
        where = ""
        if self.random.random() < 0.5:
            where = f" WHERE {alias}.{self.random.choice(COLUMNS)} = {self.column(scope)}"
        return f"(SELECT {value} FROM {self.random.choice(TABLES)} {alias}{where})"

    # -- statements ------------------------------------------------------------------------------

    def source(self):
        """Return what stands behind FROM, and the aliases in it."""
        first = self.new_alias()
        text = f"{self.table()} {first}"
        aliases = [first]
        for _ in range(self.random.choice([0, 1, 1, 1, 2])):
            alias = self.new_alias()
            kind = self.random.choice(["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "LEFT JOIN"])
            left, right = self.column(aliases), f"{alias}.{self.random.choice(COLUMNS)}"
            on = f"{left} = {right}"
            if kind == "JOIN" and self.random.random() < 0.3:
                on += f" AND {self.condition((*aliases, alias), 1)}"
            text += f" {kind} {self.table()} {alias} ON {on}"
            aliases.append(alias)
        return text, tuple(aliases)

    def table(self):
        name = self.random.choice(TABLES)
        if self.random.random() < 0.8:
            return name
        alias = self.new_alias()
        return f"(SELECT {alias}.* FROM {name} {alias} WHERE {self.condition((alias,), 1)})"

    def merged(self):
        """Return a join of two or three tables whose columns are merged."""
        kind = lambda: self.random.choice(["", "LEFT ", "RIGHT ", "FULL "])  # noqa: E731 - local
        if self.random.random() < 0.2:
            return f"SELECT * FROM a NATURAL {kind()}JOIN b"
        shown = self.random.choice(["k", "*", "k, a.s, b.s"])
        third = f" {kind()}JOIN c USING (k)" if self.random.random() < 0.5 else ""
        where = self.random.choice(["", " WHERE k > 1", " WHERE k IS NULL OR b.s IS NULL"])
        return f"SELECT {shown} FROM a {kind()}JOIN b USING (k){third}{where}"

    def select(self):
        source, aliases = self.source()
        where = f" WHERE {self.condition(aliases, 3)}" if self.random.random() < 0.8 else ""
        column, other = self.column(aliases), self.column(aliases)
        condition = lambda: self.condition(aliases, 2)  # noqa: E731 - short and local
        return self.choose(
            lambda: f"SELECT {column} AS x, {other} AS y FROM {source}{where}",
            lambda: f"SELECT {column} AS x, {other} AS y FROM {source}{where}",
            lambda: f"SELECT {column} AS x, {condition()} AS y FROM {source}{where}",
            lambda: f"SELECT * FROM {source}{where}",
            lambda: (
                f"SELECT {column} AS x, count(*) AS n FROM {source}{where} GROUP BY {column}"
                f" HAVING count(*) > 1 OR {column} {self.random.choice(['', 'NOT '])}IN"
                f" ({self.subquery((), 1)})"
            ),
            lambda: f"SELECT count(*) FILTER (WHERE {condition()}) AS n FROM {source}{where}",
            lambda: (
                f"SELECT sum(CASE WHEN {condition()} THEN 1 ELSE 0 END) AS n FROM {source}{where}"
            ),
            lambda: f"SELECT {condition()} AS x, count(*) AS n FROM {source}{where} GROUP BY 1",
        )

    def statement(self):
        """Return a statement whose rows come in any order."""
        part = lambda: f"SELECT {self.set_columns()} FROM {self.random.choice(TABLES)}"  # noqa: E731
        return self.choose(
            *[self.select] * 8,
            self.merged,
            lambda: f"{part()} {self.random.choice(['INTERSECT', 'EXCEPT'])} ALL {part()}",
        )

    def set_columns(self):
        return self.random.choice(["k, s", "s, v"])
