import subprocess
import sys
from importlib.metadata import version

import pytest


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["bogus"], "No such command 'bogus'"),
        (["query", "--frmat", "csv", "select 1"], "No such option: --frmat"),
        (["query", "--format", "xml", "select 1"], "Invalid value for '--format'"),
        (["query", "--max-rows", "0", "select 1"], "Invalid value for '--max-rows'"),
        (["query"], "Give the SQL as an argument"),
        (["query", "select 1", "-f", "x.sql"], "not both"),
        (["query", "-f", "missing.sql"], 'The file "missing.sql" cannot be read: No such file'),
        (["query", "select 1", "--set", "timeout"], "--set takes name=value"),
        (["query", "select 1", "--set", "timout=5s"], 'Did you mean "igloo.timeout"?'),
        (["query", "select 1", "--set", "timeout=5"], "its unit is missing"),
        (["query", "select 1", "--config", "missing.toml"], '"missing.toml" cannot be read'),
        (["query", "select 1", "--connect", "http://x"], 'Cannot connect to "http://x"'),
        (["config", "show", "--config", "missing.toml"], '"missing.toml" cannot be read'),
        (["config", "check", "--set", "nope=1"], 'There is no setting "nope"'),
    ],
)
def test_misuse_is_one_line_and_code_two(igloo, arguments, message):
    outcome = igloo(*arguments)
    assert outcome.code == 2
    assert outcome.error.startswith("error: ")
    assert message in outcome.error
    assert outcome.out == b""


def test_a_mistake_in_the_configuration_is_code_two_for_every_command(igloo):
    igloo.write("igloo.toml", '\ntimout = "5s"\n')
    for arguments in (["config", "check"], ["config", "show"], ["query", "select 1"], ["catalogs"]):
        outcome = igloo(*arguments)
        assert outcome.code == 2
        assert outcome.error == (
            'error: igloo.toml:2: There is no setting "timout". Did you mean "igloo.timeout"?'
        )


def test_show_tells_each_value_s_origin_and_no_secret(igloo):
    igloo.write(
        "igloo.toml",
        'timeout = "5s"\n[catalogs.pg]\nconnector = "postgres"\n'
        'uri = "postgresql://me:hunter2@db/x"\n',
    )
    igloo.write(".env", "IGLOO_BATCH_ROWS=100\nPG=hunter2\n")
    igloo.environment |= {
        "IGLOO_TIMEZONE": "Asia/Tokyo",
        "IGLOO_POSTGRES_URI": "postgresql://me:hunter2@db/x",
        "DATABASE_URL": "mysql://me:hunter2@db/x",
    }
    outcome = igloo("config", "show", "--set", "pushdown=off")
    assert outcome.code == 0
    for line in (
        "igloo.timeout,5s,0,igloo.toml:1",
        "igloo.batch_rows,100,8192,.env",
        "igloo.timezone,Asia/Tokyo,UTC,environment IGLOO_TIMEZONE",
        "igloo.pushdown,off,full,flag",
        "igloo.execution,auto,auto,default",
        "catalogs.pg.uri,postgresql://me:•••@db/x,,igloo.toml:2",
        "catalogs.postgres.uri,${env:IGLOO_POSTGRES_URI},,environment IGLOO_POSTGRES_URI",
    ):
        assert line in outcome.text.splitlines()
    assert "hunter2" not in outcome.text + outcome.err


def test_check_tells_all_wrong_catalogs_and_says_nothing_of_the_right_ones(igloo):
    igloo.write(
        "igloo.toml",
        '[catalogs.right]\nconnector = "files"\npath = "."\n'
        '[catalogs.typo]\nconnector = "file"\n'
        '[catalogs.option]\nconnector = "files"\npth = "."\n'
        '[catalogs.secret]\nconnector = "postgres"\nuri = "${env:NOT_SET_ANYWHERE}"\n',
    )
    outcome = igloo("config", "check")
    assert outcome.code == 2
    assert outcome.out == b""
    lines = outcome.err.splitlines()
    assert len(lines) == 3
    assert lines[0].startswith('error: igloo.toml:4: The catalog "typo" cannot be used')
    assert 'Did you mean "files"?' in lines[0]
    assert lines[1].startswith('error: igloo.toml:6: The catalog "option" cannot be used')
    assert 'Did you mean "path"?' in lines[1]
    assert '"NOT_SET_ANYWHERE" is not set' in lines[2]


def test_check_of_a_right_configuration_says_so_and_tells_notes(igloo):
    igloo.write("igloo.toml", 'timeout = "5s"\n')
    igloo.environment["DATABASE_URL"] = "mysql://me:hunter2@db/x"
    outcome = igloo("config", "check")
    assert (outcome.code, outcome.text) == (
        0,
        "The configuration is valid (igloo.toml, 0 catalogs).\n",
    )
    assert outcome.error.startswith("note: DATABASE_URL (environment DATABASE_URL) makes no")
    assert "hunter2" not in outcome.err


def test_help_and_version_need_no_engine(igloo):
    code = (
        "import sys; from igloo.cli.main import main\n"
        "assert main(['--help']) == 0 and main(['--version']) == 0\n"
        "heavy = {'pyarrow', 'datafusion', 'sqlglot', 'rich', 'pandas'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=igloo.folder, capture_output=True)
    outcome = igloo.process("--version")
    assert (outcome.code, outcome.text) == (0, f"igloo {version('igloo-sql')}\n")
