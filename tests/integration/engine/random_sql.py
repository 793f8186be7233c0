"""Random predicates and queries over one table of awkward values, as SQL text.

Only what every engine must agree with itself about: the same text over the same rows has to give
the same answer, wherever the rows lie and whatever part of the work the source took over.
"""

import random

NUMBERS = {
    "i": ["0", "1", "-1", "7", "2147483647", "-2147483648", "3000000000", "1.5", "NULL"],
    "big": ["0", "9223372036854775807", "-9223372036854775808", "9007199254740993", "1e18", "2.5"],
    "f": ["0", "0.0", "-0.0", "1.5", "1e308", "-1e308", "'NaN'::double", "'inf'::double", "1"],
    "r": ["0", "0.1", "'NaN'::real", "'NaN'::double", "1e38", "16777217", "-0.0"],
    "d": ["0", "0.0001", "-0.0001", "9999999999999999.9999", "0.00005", "12.5", "1"],
}
OTHERS = {
    "s": ["''", "'a'", "'A'", "'ab'", "'Ab'", "'a '", "'%'", "'_'", "'\\'", "'é'", "'Z'", "'~'"],
    "day": ["date '1970-01-01'", "date '0001-01-01'", "date '9999-12-31'", "date '2024-02-29'"],
    "ts": ["timestamp '2024-02-29 23:59:59.999999'", "timestamp '1969-12-31 23:59:59'"],
    "tz": ["timestamptz '2024-02-29 23:59:59.999999Z'", "timestamptz '2024-03-01 00:00:00+02:00'"],
    "k": ["0", "1", "2", "7"],
}
LITERALS = NUMBERS | OTHERS
COMPARISONS = ["=", "<>", "<", "<=", ">", ">="]
PATTERNS = ["a%", "%a", "%", "_", "__", "", "A_", "\\%", "%\\_%", "é%", "%b%", "a"]


def float_of(literal):
    return float(literal.partition("::")[0].strip("'"))


class RandomSql:
    """Gives random text; the same seed gives the same texts."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def predicate(self, alias="", depth=2):
        pick = self.random.random()
        if depth and pick < 0.45:
            connective = self.random.choice([" AND ", " OR "])
            count = self.random.choice([2, 2, 3])
            return (
                "(" + connective.join(self.predicate(alias, depth - 1) for _ in range(count)) + ")"
            )
        if depth and pick < 0.6:
            return f"NOT ({self.predicate(alias, depth - 1)})"
        return self.leaf(alias)

    def leaf(self, alias):
        make = self.random.choice(
            [
                self.comparison,
                self.comparison,
                self.comparison,
                self.in_list,
                self.between,
                self.like,
                self.null_test,
                self.boolean,
                self.two_columns,
                self.computed,
            ]
        )
        return make(alias)

    def column(self, alias, names=tuple(LITERALS)):
        name = self.random.choice(names)
        return name, f"{alias}{name}"

    def comparison(self, alias):
        name, column = self.column(alias)
        operator = self.random.choice(
            [*COMPARISONS, " IS DISTINCT FROM ", " IS NOT DISTINCT FROM "]
        )
        literal = self.random.choice(LITERALS[name])
        if self.random.random() < 0.15:
            return f"{literal} {operator} {column}"
        return f"{column} {operator} {literal}"

    def in_list(self, alias):
        name, column = self.column(alias)
        # Zero among four or more floats is left out: DataFusion's hash table tells 0.0 from -0.0.
        known = [v for v in LITERALS[name] if name not in "fr" or float_of(v) != 0]
        values = self.random.choices(known, k=self.random.choice([1, 2, 3, 6]))
        if self.random.random() < 0.15:
            values.append("NULL")
        return f"{column} {self.random.choice(['', 'NOT '])}IN ({', '.join(values)})"

    def between(self, alias):
        name, column = self.column(alias)
        low, high = self.random.choices(LITERALS[name], k=2)
        return f"{column} {self.random.choice(['', 'NOT '])}BETWEEN {low} AND {high}"

    def like(self, alias):
        word = self.random.choice(["LIKE", "NOT LIKE", "ILIKE", "NOT ILIKE"])
        return f"{alias}s {word} '{self.random.choice(PATTERNS)}'"

    def null_test(self, alias):
        _, column = self.column(alias, (*LITERALS, "b", "raw"))
        return f"{column} IS {self.random.choice(['', 'NOT '])}NULL"

    def boolean(self, alias):
        return self.random.choice(
            [
                f"{alias}b",
                f"NOT {alias}b",
                f"{alias}b IS TRUE",
                f"{alias}b IS NOT TRUE",
                f"{alias}b IS UNKNOWN",
                f"{alias}b = false",
                f"{alias}b <> ({alias}i > 1)",
                "true",
                "NULL",
                "1 = 0",
            ]
        )

    def two_columns(self, alias):
        pair = self.random.choice(
            [
                ("i", "big"),
                ("f", "f"),
                ("f", "r"),
                ("i", "f"),
                ("d", "i"),
                ("r", "r"),
                ("k", "i"),
                ("s", "s"),
                ("day", "day"),
                ("big", "f"),
                ("ts", "ts"),
                ("d", "big"),
            ]
        )
        left, right = self.random.choice([pair, pair[::-1]])
        return f"{alias}{left} {self.random.choice(COMPARISONS)} {alias}{right}"

    def computed(self, alias):
        return self.random.choice(
            [
                f"{alias}k + 1 > 2",
                f"{alias}f * 0 = 0",
                f"-{alias}f < 0",
                f"abs({alias}f) = 0",
                f"lower({alias}s) = 'ab'",
                f"upper({alias}s) IN ('A', 'AB')",
                f"length({alias}s) > 1",
                f"coalesce({alias}f, 0) >= 0",
                f"CASE WHEN {alias}i > 0 THEN {alias}s ELSE 'a' END = 'a'",
                f"cast({alias}i AS text) LIKE '-%'",
                f"cast({alias}d AS double) > 0.00005",
                f"cast({alias}f AS real) = {alias}r",
                f"nullif({alias}k, 1) IS NULL",
                f"date_trunc('day', {alias}ts) = timestamp '2024-02-29'",
                f"cast({alias}ts AS date) = {alias}day",
                f"extract(year FROM {alias}day) > 2000",
                f"{alias}s || 'x' = 'ax'",
                f"substr({alias}s, 1, 1) = 'a'",
            ]
        )

    def query(self, table):
        """Return (SQL, whether its rows are fixed, not only their number)."""
        p = self.predicate
        make = self.random.choice(
            [
                lambda: f"SELECT * FROM {table} WHERE {p()}",
                lambda: f"SELECT id FROM {table} WHERE {p()}",
                lambda: f"SELECT count(*) FROM {table} WHERE {p()}",
                lambda: (
                    f"SELECT min(f), max(f), min(r), max(s), min(day), count(d) FROM {table}"
                    f" WHERE {p()}"
                ),
                lambda: (
                    f"SELECT k, count(*), max(big) FROM {table} WHERE {p()} GROUP BY k"
                    f" HAVING count(*) > 1"
                ),
                lambda: f"SELECT id, s FROM {table} WHERE {p()} ORDER BY id LIMIT 5 OFFSET 2",
                lambda: (
                    f"SELECT x.id, y.id FROM {table} x JOIN {table} y ON x.k = y.k"
                    f" WHERE {p('x.')} AND {p('y.')} AND x.id < 12"
                ),
                lambda: (
                    f"SELECT x.id, y.id FROM {table} x LEFT JOIN"
                    f" (SELECT * FROM {table} WHERE {p()}) y ON x.id = y.id + 1 WHERE {p('x.')}"
                ),
                lambda: (
                    f"SELECT id, 1 FROM {table} WHERE {p()} UNION ALL SELECT id, 2 FROM {table}"
                    f" WHERE {p()} UNION ALL SELECT k, 3 FROM {table} WHERE {p()}"
                ),
                lambda: (
                    f"SELECT id FROM {table} WHERE {p()} EXCEPT SELECT id FROM {table} WHERE {p()}"
                ),
                lambda: (
                    f"SELECT id FROM {table} x WHERE EXISTS (SELECT 1 FROM {table} y"
                    f" WHERE y.k = x.k AND y.id <> x.id AND {p('y.')}) AND {p('x.')}"
                ),
                lambda: (
                    f"SELECT id FROM {table} WHERE k IN (SELECT k FROM {table} WHERE {p()}"
                    f" AND k IS NOT NULL) AND {p()}"
                ),
                lambda: (
                    f"SELECT id, (SELECT count(*) FROM {table} WHERE {p()}) FROM {table}"
                    f" WHERE {p()}"
                ),
                lambda: (
                    f"SELECT id, (SELECT max(y.id) FROM {table} y WHERE y.k = x.k AND {p('y.')})"
                    f" FROM {table} x WHERE {p('x.')}"
                ),
                lambda: (
                    f"WITH c AS (SELECT * FROM {table} WHERE {p()}) SELECT x.id, y.id FROM c x"
                    f" JOIN c y ON x.id = y.id WHERE {p('x.')} UNION ALL SELECT id, k FROM c"
                    f" WHERE {p()}"
                ),
                lambda: (
                    f"SELECT id FROM (SELECT * FROM {table} WHERE {p()} ORDER BY id LIMIT 9) q"
                    f" WHERE {p()}"
                ),
                lambda: (
                    f"SELECT id, row_number() OVER (PARTITION BY k ORDER BY id) FROM {table}"
                    f" WHERE {p()}"
                ),
                lambda: f"SELECT DISTINCT k, b FROM {table} WHERE {p()}",
            ]
        )
        return make()

    def limited(self, table):
        """Return a query whose LIMIT may be met by different rows, and one without the LIMIT."""
        whole = self.random.choice(
            [
                f"SELECT id FROM {table} WHERE {self.predicate()}",
                f"SELECT id FROM {table}",
                (
                    f"SELECT id FROM (SELECT id FROM {table} WHERE {self.predicate()} UNION ALL"
                    f" SELECT id FROM {table} WHERE {self.predicate()}) u"
                ),
                (
                    f"SELECT x.id FROM {table} x JOIN {table} y ON x.id = y.id WHERE"
                    f" {self.predicate('x.')} AND {self.predicate('y.')}"
                ),
            ]
        )
        return whole, f"{whole} LIMIT {self.random.choice([0, 1, 3, 10, 1000])}"
