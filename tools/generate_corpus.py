"""Writes the corpus in tests/sql/corpus: statements from its topics, answers from PostgreSQL.

    make corpus

A topic, ``topics/NAME.txt``, becomes ``NAME.slt``. Its lines:

    # text               a comment, which goes along
    let name = a; b; c   names alternatives
    CREATE … INSERT … SET …  set-up, which both systems run
    SELECT {a; b} …      a statement for each alternative; ``{name}`` takes those of ``let``

A statement goes on in the lines below it that are indented. Braces without a ``;`` that name
nothing are text.

Where Igloo answers something else than PostgreSQL, the statement has to be in one of two lists,
below a heading that gives the reason: ``left_out.txt`` if the difference is documented on purpose,
``known.txt`` if it is a fault. What is in neither list is shown, and then nothing is written. Known
faults go to ``known/NAME.slt``, and a test tells when one is cured: then run with ``--prune``.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import adbc_driver_postgresql.dbapi as driver
import pyarrow as pa

import igloo
from igloo.errors import IglooError
from igloo.testing.servers import PostgresServer

if TYPE_CHECKING:
    from collections.abc import Iterator

SQL_TESTS = Path(__file__).resolve().parent.parent / "tests" / "sql"
CORPUS = SQL_TESTS / "corpus"
LISTS = ("known.txt", "left_out.txt")
# The runner knows how values are written.
sys.path.insert(0, str(SQL_TESTS))

from slt_runner import Record, run_record, shown  # noqa: E402 - found only now

_SET_UP = ("CREATE ", "INSERT ", "SET ")
_LETTERS = (
    (pa.types.is_boolean, "B"),
    (pa.types.is_integer, "I"),
    (pa.types.is_floating, "R"),
    (pa.types.is_temporal, "D"),
)
_KNOWN_HEAD = """\
# Made by tools/generate_corpus.py. The answers are right, and Igloo gives others: a test tells when
# one is cured."""


@dataclass(frozen=True)
class Line:
    """A comment, a statement that sets up, or one that asks; ``key`` is it on one line."""

    kind: str
    text: str

    @property
    def key(self) -> str:
        """The statement with single spaces, as the lists have it."""
        return " ".join(self.text.split())


@dataclass
class Topic:
    """The lines of a topic, alternatives filled in."""

    name: str
    lines: list[Line] = field(default_factory=list)

    @property
    def questions(self) -> list[Line]:
        """The statements that are compared."""
        return [line for line in self.lines if line.kind == "query"]


def read_topics() -> list[Topic]:
    """Return every topic, by name."""
    return [read_topic(path) for path in sorted((CORPUS / "topics").glob("*.txt"))]


def read_topic(path: Path) -> Topic:
    """Return a topic, each statement once."""
    topic = Topic(path.stem)
    names: dict[str, list[str]] = {}
    seen: set[str] = set()
    for text in _logical_lines(path.read_text("utf-8")):
        if text.startswith("#"):
            topic.lines.append(Line("comment", text))
        elif text.startswith("let "):
            name, _, values = text[4:].partition("=")
            names[name.strip()] = [e for v in _split(values) for e in expand(v, names)]
        elif text.startswith(_SET_UP):
            topic.lines.append(Line("set-up", text))
        else:
            for each in expand(text, names):
                line = Line("query", each)
                if line.key not in seen:
                    seen.add(line.key)
                    topic.lines.append(line)
    return topic


def _logical_lines(text: str) -> Iterator[str]:
    """Yield lines, those that are indented joined to the one before."""
    whole = ""
    for line in text.splitlines():
        if line.startswith(" ") and whole:
            whole += "\n" + line
            continue
        if whole:
            yield whole
        whole = line.rstrip()
    if whole:
        yield whole


def expand(text: str, names: dict[str, list[str]]) -> list[str]:
    """Return the text with each combination of its alternatives, which may hold others."""
    parts: list[list[str]] = []
    for piece in _pieces(text):
        inside = piece[1:-1]
        if not piece.startswith("{"):
            parts.append([piece])
        elif len(values := _split(inside)) > 1:
            parts.append([each for value in values for each in expand(value, names)])
        else:
            parts.append(names.get(inside, [piece]))
    return ["".join(chosen) for chosen in itertools.product(*parts)]


def _pieces(text: str) -> Iterator[str]:
    """Yield what stands between outer braces, and what is in them, braces included."""
    start = depth = 0
    for index, character in enumerate(text):
        if character == "{":
            if depth == 0:
                yield text[start:index]
                start = index
            depth += 1
        elif character == "}":
            depth -= 1
            if depth == 0:
                yield text[start : index + 1]
                start = index + 1
    if depth:
        raise ValueError(f"A brace is not closed: {text}")
    yield text[start:]


def _split(values: str) -> list[str]:
    """Return what stands between the ``;`` that are in no braces of their own."""
    split = [""]
    for piece in _pieces(values):
        first, *others = [piece] if piece.startswith("{") else piece.split(";")
        split[-1] += first
        split += others
    return [value.strip() for value in split]


def read_list(name: str) -> dict[str, str]:
    """Return the reason of each statement of a list."""
    reasons: dict[str, str] = {}
    reason = ""
    for line in (CORPUS / name).read_text("utf-8").splitlines():
        if line.startswith("#"):
            reason = line[1:].strip()
        elif line.strip():
            assert reason, f"{name}: no reason is given for {line}"
            assert line not in reasons, f"{name}: twice: {line}"
            reasons[line] = reason
    return reasons


class Postgres:
    """The judge: answers a statement with a record."""

    def __init__(self, uri: str) -> None:
        self._connection = driver.connect(uri, autocommit=True)
        self._cursor = self._connection.cursor()
        self._cursor.execute("SET statement_timeout = '10s'")

    def start_topic(self) -> None:
        """Forget the tables and the zone of the topic before."""
        self._cursor.execute("SET TIME ZONE 'UTC'")
        self._cursor.execute("DROP SCHEMA public CASCADE")
        self._cursor.execute("CREATE SCHEMA public")

    def run(self, sql: str) -> None:
        """Run what sets up."""
        self._cursor.execute(sql)

    def record(self, sql: str) -> str:
        """Return the record of a statement; an error is one of ``UserError``.

        Raises:
            ValueError: the file cannot hold the answer.
        """
        try:
            self._cursor.execute(sql)
            table = self._cursor.fetch_arrow_table()
        except driver.Error:
            return f"statement error UserError\n{sql}"
        types = "".join(_letter(kind) for kind in table.schema.types)
        columns = [_values(column) for column in table.columns]
        rows = ["\t".join(shown(value) for value in row) for row in zip(*columns, strict=True)]
        for row in rows:
            # Spaces at an end, and ends of lines, do not survive in a file.
            if not re.fullmatch(r"\S(.*\S)?|", row):
                raise ValueError(f"A value begins or ends with a space, put brackets: {sql}")
        sort = "" if _is_ordered(sql) else " rowsort"
        if sort:
            rows.sort()
        return "\n".join([f"query {types}{sort}", sql, "----", *rows])

    def close(self) -> None:
        """Close the connection."""
        self._cursor.close()
        self._connection.close()


def _letter(kind: pa.DataType) -> str:
    if isinstance(kind, pa.OpaqueType) and kind.type_name == "numeric":
        return "R"
    return next((letter for matches, letter in _LETTERS if matches(kind)), "T")


def _values(column: Any) -> list[Any]:
    if isinstance(column.type, pa.BaseExtensionType):
        return [value for chunk in column.chunks for value in chunk.storage.to_pylist()]
    return list(column.to_pylist())


def _is_ordered(sql: str) -> bool:
    """Whether the statement itself, and not only a part in parentheses, has an ORDER BY."""
    rest = re.sub(r"'(?:[^']|'')*'", "", sql)
    while (shorter := re.sub(r"\([^()]*\)", "", rest)) != rest:
        rest = shorter
    return re.search(r"\border\s+by\b", rest, re.IGNORECASE) is not None


def judged(topic: Topic, judge: Postgres) -> dict[str, str]:
    """Return PostgreSQL's record of each statement of the topic, by its key.

    Raises:
        ValueError: the file cannot hold an answer.
    """
    judge.start_topic()
    records = {}
    for line in topic.lines:
        if line.kind == "set-up":
            judge.run(line.text)
        elif line.kind == "query":
            records[line.key] = judge.record(line.text)
    return records


def differences(topic: Topic, records: dict[str, str]) -> dict[str, str]:
    """Return what Igloo makes of each statement that it answers otherwise, by its key."""
    found = {}
    with igloo.connect(settings={"timezone": "UTC"}) as db:

        def run(sql: str) -> list[Any]:
            return [row for result in db.run_script(sql) for row in result.fetchall()]

        for line in topic.lines:
            if line.kind == "set-up":
                run(line.text)
            elif line.kind == "query":
                try:
                    run_record(parse_record(records[line.key]), run, igloo.errors, CORPUS)
                except AssertionError as error:
                    found[line.key] = str(error).partition(": ")[2]
                except IglooError as error:
                    found[line.key] = f"{type(error).__name__}: {error}"
    return found


def parse_record(text: str) -> Record:
    """Return the record that a text holds."""
    head, *body = text.splitlines()
    kind, *arguments = head.split(maxsplit=2)
    split = body.index("----") if "----" in body else len(body)
    sql, expected = "\n".join(body[:split]), tuple(body[split + 1 :])
    return Record(CORPUS / "topic", 0, kind, tuple(arguments), sql, expected)


def corpus_files(
    topics: list[Topic],
    records: dict[str, dict[str, str]],
    known: dict[str, str],
    left_out: dict[str, str],
) -> dict[Path, str]:
    """Return the text of every file, by its path; ``records`` are by topic."""
    files = {}
    rows = []
    for topic in topics:
        keys = [line.key for line in topic.questions]
        same = [key for key in keys if key not in known and key not in left_out]
        faults = [key for key in keys if key in known]
        answers = records[topic.name]
        files[CORPUS / f"{topic.name}.slt"] = _same_text(topic, {k: answers[k] for k in same})
        if faults:
            text = _known_text(topic, {key: answers[key] for key in faults}, known)
            files[CORPUS / "known" / f"{topic.name}.slt"] = text
        rows.append((topic.name, len(same), len(faults), len(keys) - len(same) - len(faults)))
    rows.append(("all", *(sum(row[i] for row in rows) for i in (1, 2, 3))))
    files[CORPUS / "README.md"] = _summary(rows)
    return files


def _same_text(topic: Topic, records: dict[str, str]) -> str:
    blocks = [f"# Made by tools/generate_corpus.py from topics/{topic.name}.txt."]
    for line in topic.lines:
        if line.kind == "comment":
            blocks.append(line.text)
        elif line.kind == "set-up":
            blocks.append(f"statement ok\n{line.text}")
        elif line.key in records:
            blocks.append(records[line.key])
    return "\n\n".join(_without_empty_parts(blocks)) + "\n"


def _without_empty_parts(blocks: list[str]) -> list[str]:
    following = [*blocks[1:], "#"]
    return [
        block
        for number, (block, after) in enumerate(zip(blocks, following, strict=True))
        if number == 0 or not (block.startswith("#") and after.startswith("#"))
    ]


def _known_text(topic: Topic, records: dict[str, str], known: dict[str, str]) -> str:
    blocks = [_KNOWN_HEAD]
    blocks += [f"statement ok\n{line.text}" for line in topic.lines if line.kind == "set-up"]
    for reason in dict.fromkeys(known.values()):
        cases = [record for key, record in records.items() if known[key] == reason]
        blocks += [f"# {reason}", *cases] if cases else []
    return "\n\n".join(blocks) + "\n"


def _summary(rows: list[tuple[Any, ...]]) -> str:
    lines = [
        "# Corpus",
        "",
        "Statements that PostgreSQL has answered and that Igloo has to answer alike. The files are",
        "made by `tools/generate_corpus.py`, which says how; this page too.",
        "",
        "| topic | the same | known faults | documented differences, left out |",
        "|---|---|---|---|",
        *(f"| {' | '.join(map(str, row))} |" for row in rows),
    ]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write the corpus; 1 if a difference is in no list, or a list is stale."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--topic", help="look at this topic alone, and write nothing")
    parser.add_argument("--prune", action="store_true", help="take out of the lists what agrees")
    chosen = parser.parse_args()
    topics = [topic for topic in read_topics() if chosen.topic in (None, topic.name)]
    with PostgresServer() as server, contextlib.closing(Postgres(server.uri)) as judge:
        records = {topic.name: judged(topic, judge) for topic in topics}
    found = {topic.name: differences(topic, records[topic.name]) for topic in topics}
    if chosen.prune:
        differing = {key for by_key in found.values() for key in by_key}
        asked = {line.key for topic in topics for line in topic.questions}
        for name in LISTS:
            prune(name, asked - differing)
    known, left_out = (read_list(name) for name in LISTS)
    complaints = 0
    for topic in topics:
        for line in topic.questions:
            told = found[topic.name].get(line.key)
            if (told is None) == (line.key in known or line.key in left_out):
                complaints += 1
                print(f"{topic.name}: {line.key}\n    {told or 'agrees now: run with --prune'}")
    print(f"{sum(map(len, records.values()))} statements, {complaints} differ from the lists")
    if complaints == 0 and chosen.topic is None:
        for path, text in corpus_files(topics, records, known, left_out).items():
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, "utf-8")
    return 1 if complaints else 0


def prune(name: str, agreed: set[str]) -> None:
    """Take statements out of a list, and reasons that have none left."""
    groups: dict[str, list[str]] = {}
    for key, reason in read_list(name).items():
        if key not in agreed:
            groups.setdefault(reason, []).append(key)
    text = "\n".join(f"# {reason}\n" + "\n".join(keys) + "\n" for reason, keys in groups.items())
    (CORPUS / name).write_text(text, "utf-8")


if __name__ == "__main__":
    sys.exit(main())
