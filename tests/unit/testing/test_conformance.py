import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from igloo.testing.conformance import ConnectorConformance, Gap, not_able, not_done, not_meant

LIES = ["lying_connectors", "lying_sql_connectors"]

GAPS = """
from igloo.connectors.memory import MemoryConnector
from igloo.names import TableName
from igloo.testing.conformance import ConnectorConformance, WritesConformance, not_done


class Base(WritesConformance, ConnectorConformance):
    large_table_rows = 10

    def make_connector(self, tables):
        connector = MemoryConnector("mem")
        for name, table in tables.items():
            connector.put(TableName("public", name), table)
        return connector


class TestGaps(Base):
    gaps = {
        "test_splits_are_read_in_another_process": not_done("Not yet."),
        "test_filter_case[one_row]": not_done("It works, so this gap has closed."),
        "test_an_unreachable_source_is_a_source_error": not_done("Wrong error.", raises=KeyError),
    }
"""


def run_suite(file, *test_ids):
    """Run tests of a file in a process of its own; return the outcome by class and test."""
    settings = file.with_suffix(".ini")
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-c", str(settings), "-p", "no:cacheprovider",
         "-p", "no:randomly", "-rA", "-q", "--tb=no", *(f"{file}::{test_id}" for test_id in test_ids)],
        capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    outcomes = {}
    for line in ran.stdout.splitlines():
        word, _, rest = line.partition(" ")
        if word in {"PASSED", "FAILED", "ERROR", "XFAIL"}:
            _, class_name, test = rest.split(" - ")[0].split("::", 2)
            outcomes[class_name, test] = word
    assert len(outcomes) == len(set(test_ids)), ran.stdout + ran.stderr
    return outcomes


def caught_by(file):
    """Return the names of the liars in a file, and the tests that have to catch each."""
    spec = importlib.util.spec_from_file_location(file.stem, file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return {liar.__name__: tests for liar, tests in module.CAUGHT_BY.items()}


@pytest.mark.parametrize("name", LIES)
def test_every_lie_is_caught_and_honesty_is_not(tmp_path, name):
    file = tmp_path / f"test_{name}.py"
    file.write_text(Path(__file__).with_name(f"{name}.py").read_text())
    file.with_suffix(".ini").write_text("[pytest]\n")
    tests_of = caught_by(file)
    wanted = {(f"Test{liar}", test): "FAILED" for liar, tests in tests_of.items() for test in tests}
    wanted |= {("TestHonest", test): "PASSED" for tests in tests_of.values() for test in tests}
    found = run_suite(file, *(f"{class_name}::{test}" for class_name, test in wanted))
    assert {key: found[key] for key in wanted if found[key] != wanted[key]} == {}


def test_a_gap_must_fail_and_with_the_error_that_it_names(tmp_path):
    file = tmp_path / "test_gaps.py"
    file.write_text(GAPS)
    file.with_suffix(".ini").write_text("[pytest]\n")
    wanted = {
        ("TestGaps", "test_splits_are_read_in_another_process"): "XFAIL",
        ("TestGaps", "test_filter_case[one_row]"): "FAILED",
        ("TestGaps", "test_filter_case[nothing_matches]"): "PASSED",
        ("TestGaps", "test_an_unreachable_source_is_a_source_error"): "FAILED",
    }
    assert run_suite(file, *(f"TestGaps::{test}" for _, test in wanted)) == wanted


REPORTED = """
from test_gaps import Base
from igloo.testing.conformance import not_done


class TestFullOfGaps(Base):
    gaps = {"test_splits_are_read_in_another_process": not_done("Not yet.")}
"""


def report_of(folder, *arguments):
    file, written = folder / "test_gaps.py", folder / "report.json"
    file.write_text(GAPS.partition("class TestGaps")[0])
    (folder / "test_reported.py").write_text(REPORTED)
    (folder / "pytest.ini").write_text("[pytest]\n")
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-c", "pytest.ini", "-p", "no:cacheprovider", "-q",
         "-p", "igloo.testing.conformance.report", "--conformance-report", "report.json",
         *arguments],
        cwd=folder, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    return ran, json.loads(written.read_text()) if written.exists() else None


def test_a_report_says_what_was_passed_and_what_was_not(tmp_path):
    tests = ("test_splits_are_read_in_another_process", "test_the_kind_is_a_lower_case_word")
    ran, report = report_of(tmp_path, *(f"test_reported.py::TestFullOfGaps::{t}" for t in tests))
    assert ran.returncode == 0, ran.stdout
    gap = {"area": "scan", "test": tests[0], "kind": "not_done", "reason": "Not yet."}
    assert report == [
        {
            "connector": "reported",
            "variant": "full of gaps",
            "areas": ["honesty", "scan"],
            "gaps": [gap],
        }
    ]


@pytest.mark.parametrize("arguments", [["-k", "unreachable or kind"], ["-k", "kind"]])
def test_a_run_that_fails_or_leaves_tests_out_reports_nothing(tmp_path, arguments):
    _, report = report_of(tmp_path, "test_reported.py", *arguments)
    assert report is None


def test_a_gap_names_a_test_that_exists():
    with pytest.raises(TypeError, match="test_that_was_renamed"):
        type("TestX", (ConnectorConformance,), {"gaps": {"test_that_was_renamed": not_done("x")}})


def test_a_gap_has_a_reason():
    with pytest.raises(ValueError, match="reason"):
        not_meant(" ")


def test_gaps_say_whose_they_are():
    assert not_done("a") == Gap(kind="not_done", reason="a")
    assert not_able("a", "issue 5", KeyError) == Gap(
        kind="not_able", reason="a (issue 5)", raises=KeyError
    )
    assert not_meant("a").kind == "not_meant"


def test_importing_igloo_imports_no_pytest():
    check = "import sys, igloo, igloo.testing; sys.exit('pytest' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
