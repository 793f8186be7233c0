import re
import signal
import socket
import sys
import threading
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from terminal import Terminal  # isort: skip

#: Runs for hours, in little memory.
LONG = "select count(*) as n from range(1000000000000) where sin(value) > 2"


@pytest.fixture
def shell(igloo):
    """Give a function that starts the shell on a terminal and waits for its prompt."""
    igloo.environment |= {
        "XDG_STATE_HOME": str(igloo.folder / "state"),
        "PAGER": f"{sys.executable} {igloo.folder / 'pager.py'}",
    }
    igloo.environment.pop("NO_COLOR", None)
    # It shows what it was given, and says so.
    igloo.write(
        "pager.py",
        "import sys\nlines = sys.stdin.read().splitlines()\n"
        "open('paged.txt', 'a').write('\\n'.join(lines) + '\\n')\n"
        "print('PAGED', len(lines), 'LINES')\n",
    )
    started = []

    def start(*arguments, **options):
        terminal = Terminal(
            ["shell", *arguments], folder=igloo.folder, environment=igloo.environment, **options
        )
        started.append(terminal)
        terminal.wait_for_prompt(0)
        return terminal

    yield start
    for terminal in started:
        terminal.stop()


@pytest.fixture
def lake(igloo):
    """Make a catalog of one Parquet file."""
    (igloo.folder / "data").mkdir()
    table = pa.table({"number_of_person": [1, 2], "Odd Name": ["Ada", "Grace"]})
    pq.write_table(table, igloo.folder / "data" / "people.parquet")
    igloo.write("igloo.toml", '[catalogs.lake]\nconnector = "files"\npath = "data"\n')


@pytest.fixture
def silent_server():
    """Give a server that takes connections and never says a word: its port, and those it took."""
    taken = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept():
            while True:
                try:
                    taken.append(server.accept()[0])
                except OSError:
                    return

        threading.Thread(target=accept, daemon=True).start()
        yield server.getsockname()[1], taken
        server.shutdown(socket.SHUT_RDWR)
    for connection in taken:
        connection.close()


def leave(terminal):
    """Drop what is typed, and leave."""
    prompts = len(terminal.prompts)
    terminal.press("ctrl-c")
    terminal.wait_for_prompt(prompts)
    terminal.press("ctrl-d")
    assert terminal.wait_for_end() == 0


def test_one_session_as_a_user_has_it(shell, lake):
    terminal = shell(columns=150)
    assert "with the catalogs lake." in terminal.text
    # Over several lines, until the semicolon.
    terminal.enter("select 41 + 1 as answer")
    terminal.wait_for("-> ")
    terminal.enter(", 'it''s' as quoted;")
    terminal.wait_for_prompt(1)
    assert "     42 | it's" in terminal.text
    # A quote that is open shows in the prompt.
    terminal.enter("select 'a;")
    terminal.wait_for("'> ")
    terminal.enter("b' as two_lines;")
    terminal.wait_for(" a;\\nb")
    terminal.wait_for_prompt(2)
    # A wrong statement is one line, and the next one runs.
    terminal.enter("selec 1;")
    terminal.wait_for_prompt(3)
    assert "error: The SQL cannot be read at line 1, column 1" in terminal.text
    terminal.enter("select 'still here' as state;")
    terminal.wait_for_prompt(4)
    assert " still here" in terminal.text
    # One session: what SET and CREATE VIEW make lasts.
    terminal.enter("set igloo.timezone = 'Asia/Tokyo'; create view v as select 7 as seven;")
    terminal.wait_for_prompt(5)
    terminal.enter("show igloo.timezone;")
    terminal.wait_for("Asia/Tokyo", times=2)
    terminal.wait_for_prompt(6)
    terminal.enter("select seven + 1 as eight from v;")
    terminal.wait_for_prompt(7)
    assert " eight" in terminal.text
    assert re.search(r"1 row, \d+ ms", terminal.text)
    assert "Traceback" not in terminal.text
    assert terminal.colours
    terminal.press("ctrl-d")
    assert terminal.wait_for_end() == 0


def test_ctrl_c_stops_the_statement_and_the_shell_goes_on(shell, igloo):
    terminal = shell()
    for number, statement in enumerate((LONG, f"create table t as {LONG}")):
        terminal.enter(f"{statement};")
        # The progress line: the statement runs for more than a second.
        terminal.wait_until(lambda: re.search(r"\d\.\d s", terminal.screen), "waited for progress")
        pressed_at = time.monotonic()
        terminal.press("ctrl-c")
        terminal.wait_for("Cancelled.", times=number + 1)
        # The promise is a second on a machine that is not busy.
        assert time.monotonic() - pressed_at < 5
        terminal.wait_for_prompt(number + 1)
    # Both statements have stopped, not only their waiting.
    terminal.enter("select state, count(*) as n from system.queries group by state order by 1;")
    terminal.wait_for_prompt(3)
    assert re.search(r"cancelled +\| +2", terminal.text)
    assert "running" not in terminal.text
    terminal.enter("\\o part.csv")
    terminal.wait_for_prompt(4)
    terminal.enter("select value from range(1000000000000);")
    part = igloo.folder / "part.csv"
    terminal.wait_until(lambda: part.stat().st_size, "waited for the file")
    terminal.press("ctrl-c")
    terminal.wait_for("Cancelled; part.csv is not whole.")
    terminal.wait_for_prompt(5)
    terminal.enter("\\o")
    terminal.wait_for_prompt(6)
    # What is typed is dropped; on an empty line there is nothing to drop.
    terminal.type("select nothing")
    terminal.press("ctrl-c")
    terminal.wait_for_prompt(7)
    assert "so does \\q" not in terminal.text
    terminal.press("ctrl-c")
    terminal.wait_for("Ctrl-D leaves; so does \\q.")
    terminal.enter("select 'alive' as state;")
    terminal.wait_for(" alive")


def test_tab_completes_catalogs_schemas_tables_columns_words_and_settings(shell, lake):
    terminal = shell()

    def drop():
        prompts = len(terminal.prompts)
        terminal.press("ctrl-c")
        terminal.wait_for_prompt(prompts)

    def completed(typed, wanted):
        terminal.type(typed)
        terminal.press("tab")
        terminal.wait_for(wanted)
        drop()

    completed("select * from lak", "select * from lake")
    completed("select * from lake.peo", "select * from lake.people")
    completed("select 1 from lake.main.peop", "select 1 from lake.main.people")
    completed("describe lake.people; select upp", "describe lake.people; select upper")
    completed("set igloo.timez", "set igloo.timezone")
    completed("SEL", "SELECT")
    completed("create cata", "create catalog")
    completed("create catalog x using post", "create catalog x using postgres")
    completed("\\d lake.peo", "\\d lake.people")
    completed("\\tim", "\\timing")
    # A column of a table that is named further right, at the cursor.
    terminal.type("select p.numb from lake.people p")
    terminal.press(*["left"] * len(" from lake.people p"), "tab")
    terminal.wait_for("select p.number_of_person from lake.people p")
    drop()
    # A menu where several fit, with what each is; a name that needs quotes gets them.
    terminal.type("select p. from lake.people p")
    terminal.press(*["left"] * len(" from lake.people p"), "tab")
    terminal.wait_for("number_of_person  column")
    assert '"Odd Name"' in terminal.screen


def test_a_source_that_does_not_answer_never_blocks_typing(shell, igloo, silent_server):
    port, taken = silent_server
    igloo.write(
        "igloo.toml",
        '[catalogs.dead]\nconnector = "postgres"\n'
        f'uri = "postgresql://me:hunter2@127.0.0.1:{port}/x"\nconnect_timeout = "60s"\n',
    )
    terminal = shell()
    terminal.type("select * from dead.")
    terminal.press("tab")
    terminal.wait_until(lambda: taken, "waited for the question")
    terminal.type("public.t")
    terminal.press("ctrl-c")
    terminal.wait_for_prompt(1)
    # The source was asked, and still is; statements run, and nothing is told of it.
    terminal.enter("select sql from system.queries where state <> 'finished' order by 1;")
    terminal.wait_for('SHOW SCHEMAS FROM "dead"')
    terminal.wait_for_prompt(2)
    terminal.type("SEL")
    terminal.press("tab")
    terminal.wait_for("SELECT")
    assert "error" not in terminal.text
    leave(terminal)


def test_history_lasts_over_sessions_and_holds_no_secret(shell, igloo):
    with shell() as terminal:
        terminal.enter("select 'first of all' as a;")
        terminal.wait_for_prompt(1)
        terminal.enter(
            "create catalog pg using postgres with (host = 'db', password = 'hun''ter2');"
        )
        terminal.wait_for_prompt(2)
        # In this session the statement can be had again as it was typed.
        terminal.press("up")
        terminal.wait_for("'hun''ter2'", times=2)
        leave(terminal)
    kept = igloo.folder / "state" / "igloo" / "history"
    assert "hun" not in kept.read_text()
    assert "ter2" not in kept.read_text()
    assert kept.stat().st_mode & 0o077 == 0
    with shell() as terminal:
        terminal.press("up")
        terminal.wait_for("password = ")
        terminal.press("up", "up")
        terminal.wait_for("igloo> select 'first of all' as a;")
        terminal.press("enter")
        terminal.wait_for("1 row")


def test_wide_and_long_results_are_paged_whole_and_others_are_not(shell, igloo):
    terminal = shell(columns=60, lines=20)
    terminal.enter("select value as v from range(500);")
    terminal.wait_for("PAGED 502 LINES")
    terminal.wait_for_prompt(1)
    terminal.enter("select repeat('x', 90) || 'END' as wide;")
    terminal.wait_for("PAGED 3 LINES")
    terminal.wait_for_prompt(2)
    assert "xEND\n" in (igloo.folder / "paged.txt").read_text()
    terminal.enter("select 'short' as a;")
    terminal.wait_for_prompt(3)
    assert " short" in terminal.text
    # More than a table shows is said, and not read.
    terminal.enter("select value as v from range(100000);")
    terminal.wait_for("PAGED 1002 LINES")
    terminal.wait_for("Only the first 1,000 rows are shown")
    terminal.wait_for_prompt(4)
    # Without a pager the columns are made to fit.
    terminal.enter("\\pager off")
    terminal.wait_for_prompt(5)
    terminal.enter("select repeat('y', 90) || 'END' as wide;")
    terminal.wait_for("yyy…")
    terminal.wait_for_prompt(6)
    assert "Values that end in … are cut" in terminal.text
    terminal.enter("\\x")
    terminal.wait_for_prompt(7)
    terminal.enter("select 5 as a, repeat('z', 70) || 'END' as wide;")
    terminal.wait_for("-- row 1 ---")
    terminal.wait_for("END", times=2)


def test_without_a_pager_on_the_machine_there_is_one_built_in(shell, igloo):
    igloo.environment["PAGER"] = ""
    igloo.environment["PATH"] = str(igloo.folder)
    terminal = shell(columns=80, lines=20)
    terminal.enter("select value as v, repeat('w', 110) || 'END' as wide from range(500);")
    terminal.wait_for("lines 1-17 of 500")
    terminal.press(*["right"] * 4)
    terminal.wait_for("wEND")
    terminal.press("G")
    terminal.wait_for("of 500; arrows")
    terminal.wait_for("lines 484-500 of 500")
    terminal.press("q")
    terminal.wait_for("500 rows, ")


def test_shortcuts_do_what_they_say(shell, lake, igloo):
    igloo.environment["EDITOR"] = "sed -i s/five/edited/"
    igloo.write("script.sql", "select 11 as eleven;\nselect nope;\nselect 12 as twelve;\n")
    terminal = shell(lines=50)
    for number, (typed, told) in enumerate(
        (
            ("\\?", "lists the shortcuts and keys"),
            ("\\l", " lake    | files"),
            ("\\dt lake", " people | main   | lake"),
            ("\\dn lake", " main"),
            ("\\d lake.people;", " number_of_person | int64"),
            ("\\c lake", "Names start in lake.main."),
            ("select count(*) as people from people;", "      2"),
            ("\\dd", 'There is no shortcut "\\dd". Did you mean "\\d"?'),
            ("\\x maybe", "Say on or off"),
            ("\\i nothing.sql", 'The file "nothing.sql" cannot be read: No such file'),
            ("\\i script.sql", " eleven"),
            ("\\o rows.csv", "Results go to rows.csv as csv"),
            ("select 1 as a, 'x,y' as b;", "1 row"),
            ("\\o", "Results are shown here."),
            ("\\o rows.parquet", "Results go to rows.parquet as parquet"),
            ("select 1 as a; select 2 as b;", 'The file "rows.parquet" holds a result already'),
            ("\\o", "Results are shown here."),
            ("\\o /dev/full", "Results go to /dev/full as csv"),
            ("select 1 as a;", 'The file "/dev/full" cannot be written: No space left on device.'),
            ("\\o", "Results are shown here."),
            ("\\timing off", "The time of statements: off."),
            ("create view memory.public.v as select 1;", "\nDone\n"),
            ("\\format json", "Results are written as json."),
            ("select 5 as five;", '{"five": 5}'),
        )
    ):
        terminal.enter(typed)
        terminal.wait_for(told)
        terminal.wait_for_prompt(number + 1)
    # What is edited stands at the next prompt.
    terminal.enter("\\e")
    terminal.wait_for("select 5 as edited;")
    terminal.press("enter")
    terminal.wait_for('{"edited": 5}')
    assert "igloo lake.main> " in terminal.text
    assert "nope" in terminal.text
    assert "twelve" not in terminal.text
    assert pq.read_table(igloo.folder / "rows.parquet").to_pydict() == {"a": [1]}
    assert (igloo.folder / "rows.csv").read_text() == 'a,b\n1,"x,y"\n'
    terminal.enter("\\q")
    assert terminal.wait_for_end() == 0


def test_colours_can_be_off(shell):
    terminal = shell("--no-color")
    terminal.enter("select 'x' as a, 1 as b;")
    terminal.wait_for_prompt(1)
    terminal.enter("selec 1;")
    terminal.wait_for_prompt(2)
    assert terminal.colours == []


def test_a_history_that_cannot_be_kept_is_told_and_a_signal_ends_the_shell(shell, igloo):
    (igloo.folder / "state").write_text("a file, not a folder")
    terminal = shell()
    assert "note: The history is not kept" in terminal.text
    terminal.type("select 1")
    terminal.process.send_signal(signal.SIGTERM)
    assert terminal.wait_for_end() == 143


def test_a_pipe_is_a_script(igloo):
    script = b"create table t (a int); insert into t values (1), (2); select a from t order by a;"
    as_shell = igloo("shell", stdin=script)
    assert (as_shell.code, as_shell.text) == (0, "count\n2\n\na\n1\n2\n")
    assert as_shell == igloo("query", "-f", "-", stdin=script)
    wrong = igloo("shell", stdin=b"select 1 as a; selec 2; select 3 as b")
    assert wrong.code == 1
    assert wrong.error.startswith("error: The SQL cannot be read")
    assert wrong.text == "a\n1\n"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--connect", "grpc://localhost:1"], 1, "is not possible in this version"),
        (["--connect", "http://x"], 2, 'Cannot connect to "http://x"'),
        (["--config", "missing.toml"], 2, '"missing.toml" cannot be read'),
        (["--set", "timout=5s"], 2, 'Did you mean "igloo.timeout"?'),
        (["--format", "arrow"], 2, "takes one statement"),
    ],
)
def test_what_cannot_start_says_why_as_query_does(igloo, arguments, code, message):
    found, drawn = igloo.on_terminal("shell", *arguments, columns=200)
    assert found == code
    assert message in drawn
