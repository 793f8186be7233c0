"""The documentation is whole, fresh, and true: everything named has its place, every block runs."""

import ast
import contextlib
import importlib.util
import os
import re
import sqlite3
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import adbc_driver_postgresql.dbapi as driver
import pytest

import igloo
from doc_blocks import (
    WRITTEN_URI,
    Page,
    anchors_of,
    assert_matches,
    blocks_of,
    headings_of,
    links_of,
)
from igloo.cli.values import text_column

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "igloo"
DOCS = ROOT / "docs"
REFERENCE = DOCS / "reference"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *ROOT.glob("changelog.d/*.md")])
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))

#: Pages may not grow past what one person reads at once: A4 pages of about 60 lines.
LINES_MAX = {"ARCHITECTURE.md": 125, "README.md": 125}
DECISION_LINES_MAX = 60
#: Blocks that nothing runs are an excuse that must not spread.
NOT_RUN_MAX = 12


def name_of(page):
    return str(page.relative_to(ROOT))


def read(path):
    return (ROOT / path).read_text("utf-8")


def load_generator():
    path = ROOT / "tools" / "generate_reference.py"
    spec = importlib.util.spec_from_file_location("generate_reference", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# -- blocks run ----------------------------------------------------------------------------------


@pytest.fixture
def database_uri(postgres_uri):
    """Give the URL of an empty database of the test's own."""
    with driver.connect(postgres_uri, autocommit=True) as connection:
        with connection.cursor() as cursor:
            cursor.execute("DROP DATABASE IF EXISTS igloo_docs WITH (FORCE)")
            cursor.execute("CREATE DATABASE igloo_docs TEMPLATE template0")
        yield urlunsplit(urlsplit(postgres_uri)._replace(path="/igloo_docs"))
        with connection.cursor() as cursor:
            cursor.execute("DROP DATABASE igloo_docs WITH (FORCE)")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Give an empty working folder, and an environment that configures nothing."""
    monkeypatch.chdir(tmp_path)
    for name in ("DATABASE_URL", "SHOP_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    for name in list(os.environ):
        if name.startswith("IGLOO_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "100")
    return tmp_path


@pytest.mark.parametrize("page", [p for p in PAGES if "```" in p.read_text("utf-8")], ids=name_of)
def test_every_block_of_a_page_runs(page, folder, request):
    text = page.read_text("utf-8")
    needs_database = WRITTEN_URI in text
    uri = request.getfixturevalue("database_uri") if needs_database else WRITTEN_URI
    Page(name_of(page), folder, uri).run(blocks_of(text))


@pytest.mark.parametrize("example", EXAMPLES, ids=name_of)
def test_every_example_runs(example, folder, database_uri, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", database_uri)
    done = subprocess.run(
        [sys.executable, "-W", "error::ResourceWarning", example],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    expected = example.with_suffix(".out").read_text("utf-8")
    assert_matches(done.stdout, expected, name_of(example))


def test_few_blocks_are_not_run_and_each_says_why():
    skipped = {
        f"{name_of(page)}:{block.line}": block.directives["not run"]
        for page in PAGES
        for block in blocks_of(page.read_text("utf-8"))
        if "not run" in block.directives
    }
    assert len(skipped) <= NOT_RUN_MAX, skipped
    assert all(len(reason.split()) >= 3 for reason in skipped.values()), skipped


def test_a_block_that_prints_something_else_is_noticed(folder):
    page = Page("here", folder, "")
    run = ["```python", "print(40 + 2)", "```", "```output", "43", "```"]
    with pytest.raises(AssertionError, match="the page says\n43"):
        page.run(blocks_of("\n".join(run)))


@pytest.mark.parametrize("block", ["```python\n1 / 0\n```", "```bash\nfalse\n```", "```ruby\n```"])
def test_a_block_that_fails_is_noticed(block, folder):
    with pytest.raises(AssertionError, match="here:1"):
        Page("here", folder, "").run(blocks_of(block))


def test_an_error_that_does_not_come_is_noticed(folder):
    text = "<!-- fails: 1 -->\n```bash\ntrue\n```"
    with pytest.raises(AssertionError, match="here:2"):
        Page("here", folder, "").run(blocks_of(text))


# -- everything named has its place --------------------------------------------------------------


def test_no_generated_part_is_stale():
    generator = load_generator()
    pages = {page.name: page.read_text("utf-8") for page in REFERENCE.glob("*.md")}
    stale = [name for name, text in pages.items() if generator.regenerated(text) != text]
    assert stale == [], "run: .venv/bin/python tools/generate_reference.py"
    assert sum("<!-- generated: " in text for text in pages.values()) >= 6


def test_the_support_table_is_what_the_suite_finds(tmp_path):
    # What is collected is what a green run passes: a gap that has closed fails the run.
    found = tmp_path / "support.json"
    report = ["-p", "igloo.testing.conformance.report", "--conformance-report", str(found)]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--collect-only", *report, "tests/conformance"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert found.read_text("utf-8") == read("tests/conformance/support.json"), "run: make conform"


def test_a_stale_part_is_noticed():
    generator = load_generator()
    text = read("docs/reference/settings.md")
    changed = text.replace("Default: `8192`", "Default: `8193`")
    assert changed != text
    assert generator.regenerated(changed) == text


def test_every_setting_has_its_heading():
    headings = headings_of(read("docs/reference/settings.md"))
    names = [row.name for row in igloo_settings()]
    assert len(names) > 10
    assert [name for name in names if f"`{name}`" not in headings] == []


def igloo_settings():
    from igloo.config.declared import SETTINGS

    return SETTINGS


def test_every_error_code_has_its_heading():
    headings = headings_of(read("docs/reference/errors.md"))
    codes = {kind.code for kind in error_classes()}
    assert len(codes) > 20
    assert [code for code in codes if f"`{code}`" not in headings] == []


def error_classes():
    from igloo import errors

    found = [value for value in vars(errors).values() if isinstance(value, type)]
    return [kind for kind in found if issubclass(kind, errors.IglooError)]


def test_every_statement_has_its_heading():
    from igloo.engine.planner.parse import _PARSERS, _REFUSED

    page = read("docs/reference/sql.md")
    headings = headings_of(page)
    first_words = {heading.split()[0] for heading in headings} | {"DESC"}
    assert "DESC name" in page
    assert [word for word in _PARSERS if word not in first_words] == []
    assert [word for word in _REFUSED if word not in page.partition("## Refused")[2]] == []


def test_every_kind_of_statement_has_its_heading():
    from igloo.engine.planner import statements

    headings = [h.replace(" ", "").lower() for h in headings_of(read("docs/reference/sql.md"))]
    written = {
        "query": "queries",
        "setsetting": "set",
        "resetsetting": "reset",
        "createtableas": "createtable",
        "copyto": "copy",
    }
    kinds = [kind.__name__.lower() for kind in statements.Statement.__args__]
    assert [kind for kind in kinds if written.get(kind, kind) not in headings] == []


def test_every_option_of_every_connector_has_its_row():
    import dataclasses

    from igloo.connectors.registry import connector_names, load_connector

    page = read("docs/reference/connectors.md")
    for name in connector_names():
        section = page.partition(f"\n## `{name}`\n")[2].partition("\n## ")[0]
        assert section, name
        options = [f.name for f in dataclasses.fields(load_connector(name).options_type)]
        rows = [f"| `{o}` |" if o != "storage" else "| `storage.*` |" for o in options]
        assert [row for row in rows if row not in section] == [], name


def test_every_command_has_its_heading():
    from typer.main import get_command

    from igloo.cli.main import app

    def names(command, name):
        yield name
        for child in getattr(command, "commands", {}).values():
            yield from names(child, f"{name} {child.name}")

    headings = headings_of(read("docs/reference/cli.md"))
    commands = [name for name in names(get_command(app), "igloo") if name != "igloo"]
    assert len(commands) >= 6
    assert [name for name in commands if f"`{name}`" not in headings] == []


def test_every_shortcut_of_the_shell_has_its_row():
    from igloo.cli.shell.shortcuts import SHORTCUTS

    rows = rows_of(read("docs/how-to/use-the-shell.md"), "Shortcuts")
    shown = [code_in(row[0])[0] for row in rows]
    assert shown == [f"{s.name} {s.argument}".rstrip() for s in SHORTCUTS]


def test_every_public_name_is_documented():
    page = read("docs/reference/python.md")
    names = [name for name in igloo.__all__ if name not in {"errors", "__version__", "IglooError"}]
    assert [name for name in names if f"`igloo.{name}`" not in page] == []
    assert "`igloo.errors`" in page
    assert "`igloo.__version__`" in page


def test_every_variable_is_documented():
    from igloo.config.sources import DATABASE_URL, SOURCE_VARIABLES

    page = read("docs/reference/environment.md")
    used = set(re.findall(r"(?:IGLOO|TEST)_[A-Z_]*[A-Z]\b", read(".env.example")))
    wanted = {*SOURCE_VARIABLES, DATABASE_URL, "TEST_ADBC_POSTGRESQL_URI"} | {
        name for name in used if not name.startswith("IGLOO_TEST_")
    }
    assert [name for name in wanted if f"`{name}`" not in page] == []


def test_every_dependency_earns_its_place():
    project = tomllib.loads(read("pyproject.toml"))
    listed = list(project["project"]["dependencies"])
    for group in project["project"]["optional-dependencies"].values():
        listed += group
    for group in project["dependency-groups"].values():
        listed += [entry for entry in group if isinstance(entry, str)]
    names = {re.match(r"[\w-]+", entry)[0] for entry in listed} - {"igloo-sql"}
    page = read("docs/reference/dependencies.md")
    documented = set(re.findall(r"^\| (?:`[\w-]+` \| )?`([\w-]+)` \|", page, re.MULTILINE))
    assert documented == names


# -- tables of the reference are true ------------------------------------------------------------


def rows_of(page, heading):
    """Return the cells of the table below a heading."""
    section = re.split(rf"^#+ {re.escape(heading)}$", page, maxsplit=1, flags=re.MULTILINE)[1]
    section = re.split(r"^#+ ", section, maxsplit=1, flags=re.MULTILINE)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def code_in(cell):
    return [text.replace("\\|", "|") for text in re.findall(r"`([^`]+)`", cell)]


WRONG = "Known wrong answers"
DIFFERENCES = [
    (section, *cells)
    for section in headings_of(read("docs/reference/sql-differences.md"))[1:]
    if section != WRONG
    for cells in rows_of(read("docs/reference/sql-differences.md"), section)
]


@pytest.mark.parametrize("row", DIFFERENCES, ids=lambda row: row[1].strip("`"))
def test_a_difference_from_postgresql_is_as_it_says(row, postgres_uri, session_of_docs):
    _section, expression, in_postgres, in_igloo, _why = row
    (sql,) = code_in(expression)
    answers = (ask_postgres(postgres_uri, sql), ask_igloo(session_of_docs, sql))
    assert answers == (in_postgres.strip("`"), in_igloo.strip("`"))
    assert answers[0] != answers[1]


@pytest.mark.parametrize(
    "row", rows_of(read("docs/reference/sql-differences.md"), WRONG), ids=lambda row: row[0]
)
def test_a_known_wrong_answer_is_still_wrong(row, postgres_uri, session_of_docs):
    (sql,), right, wrong = code_in(row[0]), code_in(row[1]), code_in(row[2])
    with driver.connect(postgres_uri) as connection, connection.cursor() as cursor:
        cursor.execute(sql)
        assert shown(cursor.fetchall()) == right
    assert shown(session_of_docs.sql(sql).fetchall()) == wrong, "cured: remove the row"


def shown(rows):
    return sorted("NULL" if value is None else str(value) for (value,) in rows)


@pytest.fixture(scope="module")
def session_of_docs():
    with igloo.connect(settings={"timezone": "UTC"}) as db:
        yield db


def parts_of(sql):
    value, _, source = sql.partition(" FROM ")
    return value, f" FROM {source}" if source else ""


def ask_postgres(uri, sql):
    value, source = parts_of(sql)
    with driver.connect(uri) as connection, connection.cursor() as cursor:
        cursor.execute("SET TIME ZONE 'UTC'")
        try:
            cursor.execute(f"SELECT ({value})::text{source}")
            return cursor.fetchone()[0]
        except driver.Error:
            return "error"


def ask_igloo(db, sql):
    value, source = parts_of(sql)
    try:
        rows = db.sql(f"SELECT ({value}) AS value{source}").to_arrow()
    except igloo.IglooError:
        return "error"
    return text_column(rows["value"].combine_chunks(), "value")[0].as_py()


def test_types_of_create_table_are_as_they_say():
    rows = rows_of(read("docs/reference/sql.md"), "Types")
    assert len(rows) > 10
    with igloo.connect() as db:
        for sql_types, arrow in rows:
            for type_ in code_in(sql_types):
                db.sql(f"CREATE OR REPLACE TABLE t (a {type_})")
                (described,) = db.sql("DESCRIBE t").fetchall()
                assert f"`{described[1]}`" == arrow, type_


def test_types_of_postgresql_are_as_they_say(database_uri):
    rows = rows_of(read("docs/reference/connectors.md"), "PostgreSQL's types")
    assert len(rows) > 10
    types = [(type_, arrow) for cells, arrow in rows for type_ in code_in(cells)]
    connecting = driver.connect(database_uri, autocommit=True)
    with connecting as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TYPE mood AS ENUM ('sad', 'ok')")
        for number, (type_, _) in enumerate(types):
            cursor.execute(f"CREATE TABLE t{number} (a {type_})")
    with igloo.connect() as db:
        db.sql(f"CREATE CATALOG pg USING postgres WITH (uri = '{database_uri}')")
        found = [type_in(db, f"pg.public.t{number}") for number in range(len(types))]
    assert found == [arrow for _, arrow in types]


def test_types_of_sqlite_are_as_they_say(folder):
    rows = rows_of(read("docs/reference/connectors.md"), "SQLite's types")
    assert len(rows) > 10
    types = [(type_, arrow) for cells, arrow in rows for type_ in code_in(cells) if type_ != "INT"]
    tables = [f"CREATE TABLE t{n} (a {type_}, b TEXT);" for n, (type_, _) in enumerate(types)]
    with contextlib.closing(sqlite3.connect("types.db")) as database:
        database.executescript("".join(tables))
    with igloo.connect() as db:
        db.sql("CREATE CATALOG lite USING sqlite WITH (path = 'types.db')")
        found = [type_in(db, f"lite.t{number}") for number in range(len(types))]
    assert found == [arrow for _, arrow in types]


def type_in(db, table):
    try:
        return f"`{db.sql(f'SELECT a FROM {table}').schema.field('a').type}`"
    except igloo.errors.UnsupportedType:
        return "refused"


def test_types_of_iceberg_are_as_they_say():
    from pyiceberg.schema import Schema
    from pyiceberg.types import NestedField

    from igloo.connectors.lake.iceberg.types import arrow_schema

    rows = rows_of(read("docs/reference/connectors.md"), "Iceberg's types")
    assert len(rows) > 10
    for types, arrow in rows:
        for type_ in code_in(types):
            field = {"id": 1, "name": "a", "required": False, "type": type_}
            schema = Schema(NestedField.model_validate(field))
            assert f"`{arrow_schema(schema).field('a').type}`" == arrow, type_


def test_extensions_of_files_are_as_they_say():
    from igloo.connectors.files.formats import stored_as

    rows = rows_of(read("docs/reference/connectors.md"), "Formats of files")
    found = {
        extension: stored_as(f"x{extension}", None, any_extension=False).format
        for _, cell, _ in rows
        for extension in code_in(cell)
    }
    assert found == {e: f.strip("`") for f, cell, _ in rows for e in code_in(cell)}
    from igloo.connectors.files.formats import EXTENSIONS

    assert set(EXTENSIONS.split(", ")) == set(found)


# -- pages hold together -------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_leads_somewhere(page):
    broken = [
        target
        for target in links_of(page.read_text("utf-8"))
        if not re.match(r"https?://", target) and not leads_somewhere(page, target)
    ]
    assert broken == []


def leads_somewhere(page, target):
    path, _, anchor = target.partition("#")
    found = (page.parent / path).resolve() if path else page
    if not found.exists() or not found.is_relative_to(ROOT):
        return False
    return not anchor or anchor in anchors_of(found.read_text("utf-8"))


def test_a_broken_link_is_noticed():
    page = ROOT / "README.md"
    assert leads_somewhere(page, "ARCHITECTURE.md")
    assert not leads_somewhere(page, "ARCHITECTURES.md")
    assert not leads_somewhere(page, "ARCHITECTURE.md#no-such-heading")


def test_every_page_is_reached_from_the_index():
    linked = {
        (DOCS / target.partition("#")[0]).resolve() for target in links_of(read("docs/README.md"))
    }
    pages = {page for page in DOCS.rglob("*.md") if page != DOCS / "README.md"}
    assert sorted(map(name_of, pages - linked)) == []


def test_the_architecture_names_every_room_and_nothing_else():
    page = read("ARCHITECTURE.md")
    rooms = {name_of(p.parent)[len("src/igloo/") :] + "/" for p in SOURCE.rglob("__init__.py")}
    rooms = {room for room in rooms if room.strip("/")}
    files = {path.name for path in SOURCE.glob("*.py") if not path.name.startswith("__")}
    missing = [name for name in (*rooms, *files) if f"`{name}`" not in page]
    assert missing == []
    named = set(re.findall(r"`([\w./]+(?:/|\.py|\.toml|\.md))`", page))
    gone = [name for name in named if not any((base / name).exists() for base in (SOURCE, ROOT))]
    assert gone == []


def test_functions_that_pages_name_exist():
    defined = {
        node.name
        for path in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
    }
    for path in ("ARCHITECTURE.md", "docs/explanation/life-of-a-query.md"):
        named = set(re.findall(r"`(?:\w+\.)?(\w+)\(\)`", read(path)))
        assert named, path
        assert named <= defined, path


def test_pages_stay_short():
    sizes = {name: len(read(name).splitlines()) for name in LINES_MAX}
    assert [name for name, size in sizes.items() if size > LINES_MAX[name]] == []
    decisions = {
        p.name: len(p.read_text("utf-8").splitlines()) for p in (DOCS / "decisions").glob("0*.md")
    }
    assert [name for name, size in decisions.items() if size > DECISION_LINES_MAX] == []


def test_decisions_are_numbered_without_a_gap_and_have_one_shape():
    pages = sorted((DOCS / "decisions").glob("0*.md"))
    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    for page in pages:
        assert headings_of(page.read_text("utf-8"))[1:] == ["Context", "Decision", "Consequences"]


def test_the_glossary_has_each_term_once_in_order():
    terms = [t.lower() for t in re.findall(r"^\*\*(.+?)\*\*", read("GLOSSARY.md"), re.MULTILINE)]
    assert len(terms) > 20
    assert terms == sorted(set(terms))


def test_the_changelog_keeps_its_form():
    headings = headings_of(read("CHANGELOG.md"))
    kinds = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert headings[:2] == ["Changelog", "[Unreleased]"]
    dated = re.compile(r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d")
    assert [
        h for h in headings[1:] if h not in kinds | {"[Unreleased]"} and not dated.match(h)
    ] == []
    fragments = [p.name for p in (ROOT / "changelog.d").iterdir() if p.name != "README.md"]
    form = re.compile(rf"[\w-]+\.({'|'.join(kinds).lower()})\.md")
    assert [name for name in fragments if not form.fullmatch(name)] == []


def test_the_licence_is_named_the_same_everywhere():
    project = tomllib.loads(read("pyproject.toml"))["project"]
    assert project["license"] == "AGPL-3.0-only"
    for path in ("LICENSE", "README.md"):
        assert "AGPL-3.0-only" in read(path)
    assert "https://www.gnu.org/licenses/agpl-3.0.txt" in read("LICENSE")
    assert version("igloo-sql") == project["version"]


def test_the_rooms_of_the_map_are_the_layers_that_are_checked():
    contract = tomllib.loads(read("pyproject.toml"))["tool"]["importlinter"]["contracts"][0]
    arrows = next(b.text for b in blocks_of(read("ARCHITECTURE.md")) if b.text.startswith("cli\n"))
    assert [line.strip() for line in arrows.splitlines()] == contract["layers"]


def test_words_that_the_make_file_has_are_told():
    words = re.findall(r"'make (\w+) ", read("Makefile"))
    assert words
    page = read("CONTRIBUTING.md")
    assert [word for word in words if f"`make {word}`" not in page] == []
