import pytest
from pyiceberg.manifest import DataFile, DataFileContent, FileFormat
from pyiceberg.typedef import Record

from igloo.connectors.lake.iceberg.delete_index import DeleteIndex
from igloo.connectors.lake.iceberg.manifests import LiveFile
from igloo.errors import NotSupported

PATH_ID = 2147483546
NAN = float("nan")


def live(path, sequence, content=DataFileContent.DATA, partition=(), spec=0, **fields):
    given = {
        "content": content,
        "file_path": path,
        "file_format": FileFormat.PARQUET,
        "partition": Record(*partition),
        "record_count": 1,
        "file_size_in_bytes": 1,
        **dict.fromkeys(
            (
                *("column_sizes", "value_counts", "null_value_counts", "nan_value_counts"),
                *("lower_bounds", "upper_bounds", "key_metadata", "split_offsets"),
                *("equality_ids", "sort_order_id", "first_row_id", "referenced_data_file"),
                *("content_offset", "content_size_in_bytes"),
            )
        ),
        **fields,
    }
    file = DataFile.from_args(_table_format_version=3, **given)
    file.spec_id = spec
    return LiveFile(file, sequence)


def positions(path, sequence, **fields):
    return live(path, sequence, DataFileContent.POSITION_DELETES, **fields)


def vector(path, sequence, **fields):
    return positions(path, sequence, file_format=FileFormat.PUFFIN, **fields)


def keys(path, sequence, **fields):
    return live(path, sequence, DataFileContent.EQUALITY_DELETES, **fields)


def names(found):
    return [one.path for one in found]


@pytest.mark.parametrize(("sequence", "holds"), [(4, False), (5, True), (6, True)])
def test_positions_hold_in_files_that_are_not_younger(sequence, holds):
    index = DeleteIndex([positions("d", sequence)], frozenset({0}))
    assert names(index.position_deletes(live("a", 5))) == (["d"] if holds else [])


@pytest.mark.parametrize(("sequence", "holds"), [(4, False), (5, False), (6, True)])
def test_keys_hold_in_older_files_alone(sequence, holds):
    index = DeleteIndex([keys("d", sequence)], frozenset({0}))
    assert names(index.equality_deletes(live("a", 5))) == (["d"] if holds else [])


@pytest.mark.parametrize(
    ("partition", "spec", "holds"),
    [((1,), 1, True), ((2,), 1, False), ((1,), 2, False), ((None,), 1, False)],
)
def test_deletes_hold_in_their_own_partition(partition, spec, holds):
    data = live("a", 1, partition=partition, spec=spec)
    for make, find in (
        (positions, DeleteIndex.position_deletes),
        (keys, DeleteIndex.equality_deletes),
    ):
        index = DeleteIndex([make("d", 9, partition=(1,), spec=1)], frozenset())
        assert names(find(index, data)) == (["d"] if holds else [])


def test_not_a_number_is_one_partition():
    index = DeleteIndex([positions("d", 9, partition=(NAN,), spec=1)], frozenset())
    data = live("a", 1, partition=(float("-nan"),), spec=1)
    assert names(index.position_deletes(data)) == ["d"]


def test_keys_of_an_unpartitioned_spec_hold_in_every_partition():
    index = DeleteIndex([keys("d", 9)], frozenset({0}))
    assert names(index.equality_deletes(live("a", 1, partition=(1,), spec=1))) == ["d"]


def test_positions_of_an_unpartitioned_spec_hold_in_that_spec_alone():
    index = DeleteIndex([positions("d", 9)], frozenset({0}))
    assert names(index.position_deletes(live("a", 1, partition=(1,), spec=1))) == []


def test_a_vector_takes_the_place_of_delete_files():
    deletes = [positions("d", 9), vector("v", 9, referenced_data_file="a")]
    index = DeleteIndex(deletes, frozenset({0}))
    assert names(index.position_deletes(live("a", 1))) == ["v"]
    assert names(index.position_deletes(live("b", 1))) == ["d"]


def test_a_delete_file_that_names_its_data_file_holds_nowhere_else():
    index = DeleteIndex([positions("d", 9, referenced_data_file="a")], frozenset({0}))
    assert names(index.position_deletes(live("a", 1))) == ["d"]
    assert names(index.position_deletes(live("b", 1))) == []


@pytest.mark.parametrize(("path", "holds"), [("b", True), ("a", False), ("d", False)])
def test_bounds_of_the_paths_rule_data_files_out(path, holds):
    delete = positions("d", 9, lower_bounds={PATH_ID: b"b"}, upper_bounds={PATH_ID: b"c"})
    index = DeleteIndex([delete], frozenset({0}))
    assert bool(index.position_deletes(live(path, 1))) == holds


def test_a_vector_without_its_data_file_is_refused():
    with pytest.raises(NotSupported, match="does not name"):
        DeleteIndex([vector("v", 9)], frozenset({0}))


def test_a_delete_of_an_unknown_kind_is_refused():
    with pytest.raises(NotSupported, match="in a way"):
        DeleteIndex([live("x", 9, content=DataFileContent.DATA)], frozenset({0}))
