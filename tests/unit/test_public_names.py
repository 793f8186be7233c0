"""The names that others import, and how little ``import igloo`` loads."""

import subprocess
import sys

import pytest

import igloo
import igloo.join

HEAVY = ("pyarrow", "datafusion", "pandas", "polars", "numpy", "sqlglot", "adbc_driver_manager")


def test_every_public_name_is_there():
    assert sorted(igloo.__all__) == igloo.__all__
    for name in igloo.__all__:
        assert getattr(igloo, name) is not None
    assert set(igloo.__all__) >= {
        "Connection",
        "Coordinator",
        "IglooError",
        "Result",
        "WorkerConfig",
        "connect",
        "errors",
    }
    assert set(igloo.join.__all__) == {"IcebergConfig", "JoinConfig", "JoinEngine", "JoinType"}
    with pytest.raises(AttributeError, match="nonsense"):
        _ = igloo.nonsense


def test_the_names_lead_to_the_classes():
    from igloo.errors import IglooError
    from igloo.result import Result
    from igloo.runtime import Connection, connect

    assert igloo.IglooError is IglooError
    assert igloo.Result is Result
    assert igloo.Connection is Connection
    assert igloo.connect is connect
    assert igloo.errors.IglooError is IglooError


@pytest.mark.parametrize(
    "code", ["import igloo", "import igloo; igloo.__all__, igloo.__version__, igloo.errors"]
)
def test_importing_igloo_loads_nothing_heavy(code):
    told = f"{code}; import sys; print(*[n for n in {HEAVY!r} if n in sys.modules])"
    ran = subprocess.run(
        [sys.executable, "-c", told], capture_output=True, text=True, check=True, timeout=60
    )
    assert ran.stdout.split() == []


def test_connecting_dials_nothing_and_loads_no_driver(tmp_path):
    (tmp_path / "igloo.toml").write_text(
        '[catalogs.pg]\nconnector = "postgres"\nuri = "postgresql://nobody@127.0.0.1:1/none"\n'
    )
    told = (
        "import igloo, sys; igloo.connect().close(); "
        "print(*[n for n in ('adbc_driver_manager', 'pyiceberg') if n in sys.modules])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", told],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        cwd=tmp_path,
    )
    assert ran.stdout.split() == []
