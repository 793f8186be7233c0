import pytest

from igloo.cli.failures import Misuse
from igloo.cli.options import read_assignments


def test_assignments_are_settings_by_name_and_the_last_holds():
    given = ["timeout=5s", "igloo.pushdown = off", "timeout=6s", "session_token=a=b"]
    assert read_assignments(given) == {
        "timeout": "6s",
        "igloo.pushdown": "off",
        "session_token": "a=b",
    }
    assert read_assignments(None) == {}


@pytest.mark.parametrize("assignment", ["timeout", "=5s", ""])
def test_what_is_no_assignment_is_misuse(assignment):
    with pytest.raises(Misuse, match="name=value"):
        read_assignments([assignment])
