import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datafusion import SessionContext
from datafusion.plan import LogicalPlan

from igloo.engine.execution.plan_bytes import with_json_array, with_paths


@pytest.fixture
def plan(tmp_path):
    pq.write_table(pa.table({"a": [1]}), tmp_path / "one.parquet")
    ctx = SessionContext()
    return ctx, ctx.read_parquet(f"{tmp_path}/one.parquet").logical_plan().to_bytes(ctx)


def test_paths_are_replaced_and_the_rest_stays(plan):
    ctx, data = plan
    changed = with_paths(data, ("file:///x/1", "file:///x/2"))
    assert b"one.parquet" not in changed
    assert changed.count(b"file:///x/") == 2
    before = str(LogicalPlan.from_bytes(ctx, data))
    assert str(LogicalPlan.from_bytes(ctx, changed)) == before


def test_a_plan_that_is_no_file_table_is_refused():
    ctx = SessionContext()
    data = ctx.sql("SELECT 1").logical_plan().to_bytes(ctx)
    with pytest.raises(ValueError, match="not the scan"):
        with_paths(data, ("file:///x",))


def test_a_table_of_another_format_is_no_json_table(plan):
    _, data = plan
    with pytest.raises(ValueError, match="no JSON"):
        with_json_array(data)


@pytest.mark.parametrize("cut", [1, 2, 5, 20])
def test_bytes_that_end_early_are_refused(plan, cut):
    _, data = plan
    with pytest.raises(ValueError, match="plan"):
        with_paths(data[:-cut], ("file:///x",))


@pytest.mark.parametrize("data", [b"", b"\xff", b"\x0a\x00", b"\x0b\x01", b"\x08\x01"])
def test_bytes_that_are_no_plan_are_refused(data):
    with pytest.raises(ValueError, match="plan"):
        with_paths(data, ("file:///x",))
