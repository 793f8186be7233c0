"""What the limits let through does not end the process: each runs in a child of its own."""

import json
import subprocess
import sys

import pytest

CHILD = """
import json, sys, threading
import pyarrow as pa
import igloo

def run():
    with igloo.connect() as db:
        db.register("t", pa.table({"a": [1], "b": ["x"], "c": [True]}))
        for name, sql in json.load(sys.stdin).items():
            print(name, len(db.sql(sql).fetchall()), flush=True)

if sys.argv[1] == "thread":
    worker = threading.Thread(target=run)
    worker.start()
    worker.join()
else:
    run()
"""

AT_THE_LIMIT = {
    "and": "SELECT a FROM t WHERE " + " AND ".join(f"a <> {n + 5}" for n in range(1_990)),
    "or": "SELECT a FROM t WHERE " + " OR ".join(f"a = {n}" for n in range(1_990)),
    "cast": "SELECT a" + "::int::bigint" * 990 + " AS a FROM t",
    "not": "SELECT a FROM t WHERE " + "NOT " * 90 + "c",
    "text": "SELECT " + "||".join(["b"] * 1_990) + " AS a FROM t",
    "is": "SELECT c" + " IS NOT NULL" * 990 + " AS a FROM t",
    "nested filters": "SELECT count(*) FROM "
    + "(SELECT * FROM " * 20
    + "t"
    + "".join(
        f") s{k} WHERE " + " AND ".join(f"a <> {k * 95 + n + 5}" for n in range(95))
        for k in range(20)
    ),
    "except": " EXCEPT ".join(["SELECT a FROM t", *(f"SELECT {n + 5}" for n in range(600))]),
    "exists": "SELECT a FROM t WHERE "
    + " AND ".join(f"EXISTS (SELECT 1 FROM t u WHERE u.a = t.a + {n} - {n})" for n in range(150)),
    "list": "SELECT a FROM t WHERE a IN (" + ", ".join(map(str, range(50_000))) + ")",
    "brackets": "SELECT " + "(" * 99 + "a" + ")" * 99 + " AS a FROM t",
}


@pytest.mark.parametrize(
    ("where", "names"), [("main", list(AT_THE_LIMIT)), ("thread", ["and", "exists"])]
)
def test_statements_at_the_limit_are_answered(where, names, tmp_path):
    """A stack that overflows ends the child; the last line tells after which statement."""
    ran = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", CHILD, where],
        input=json.dumps({name: AT_THE_LIMIT[name] for name in names}),
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
        cwd=tmp_path,
    )
    assert ran.stdout.splitlines() == [f"{name} 1" for name in names], ran.stderr[-2000:]
    assert ran.returncode == 0, ran.stderr[-2000:]
