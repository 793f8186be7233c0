import copy
import inspect
import pickle
import re

import pytest

from igloo import errors
from igloo.errors import IglooError, SourceUnavailable, TableNotFound, did_you_mean

CLASSES = sorted(
    (value for value in vars(errors).values() if inspect.isclass(value) and value.__module__ == errors.__name__),
    key=lambda class_: class_.__name__,
)  # fmt: skip

#: Clients test these words. One may be added; none may change.
CODES = {
    "AccessDenied": "access_denied",
    "AlreadyExists": "already_exists",
    "CatalogNotFound": "catalog_not_found",
    "ClusterError": "cluster_error",
    "ColumnNotFound": "column_not_found",
    "IglooError": "error",
    "InternalError": "internal_error",
    "InvalidSetting": "invalid_setting",
    "InvalidValue": "invalid_value",
    "LimitExceeded": "limit_exceeded",
    "MissingDependency": "missing_dependency",
    "NoWorkers": "no_workers",
    "NotAuthenticated": "not_authenticated",
    "NotSupported": "not_supported",
    "OutOfMemory": "out_of_memory",
    "QueryCancelled": "query_cancelled",
    "QueryTimeout": "query_timeout",
    "QueueFull": "queue_full",
    "ResourceError": "resource_error",
    "ResultConsumed": "result_consumed",
    "ResultTooLarge": "result_too_large",
    "SchemaNotFound": "schema_not_found",
    "SourceDataError": "source_data_error",
    "SourceError": "source_error",
    "SourceRefused": "source_refused",
    "SourceTimeout": "source_timeout",
    "SourceUnavailable": "source_unavailable",
    "SqlSyntaxError": "sql_syntax_error",
    "TableNotFound": "table_not_found",
    "TypeMismatch": "type_mismatch",
    "UnsupportedType": "unsupported_type",
    "UserError": "user_error",
    "WorkerLost": "worker_lost",
}
RETRYABLE = {"NoWorkers", "QueueFull", "SourceTimeout", "SourceUnavailable", "WorkerLost"}


def drawn_tree():
    """Return parent and child of each line of the drawing at the top of errors.py."""
    pairs, path = [], []
    for line in errors.__doc__.splitlines():
        found = re.fullmatch(r"((?:[│ ] {3})*)(?:[├└]── )?(\w+)", line)
        if not found or not line.strip() or line.startswith("Every"):
            continue
        depth = len(found[1]) // 4 + (1 if "── " in line else 0)
        path[depth:] = [found[2]]
        pairs.append((path[depth - 1] if depth else None, found[2]))
    return pairs


def test_the_drawing_is_the_tree_of_classes():
    real = {
        (None if class_ is IglooError else class_.__base__.__name__, class_.__name__)
        for class_ in CLASSES
    }
    drawn = drawn_tree()
    assert len(drawn) == len(set(drawn))
    assert set(drawn) == real


def test_every_error_is_an_igloo_error_with_a_docstring():
    for class_ in CLASSES:
        assert issubclass(class_, IglooError)
        assert class_.__doc__


def test_codes_are_unique_and_never_change():
    assert {class_.__name__: class_.code for class_ in CLASSES} == CODES
    assert len(set(CODES.values())) == len(CODES)


def test_every_class_has_a_code_of_its_own():
    assert [class_.__name__ for class_ in CLASSES if "code" not in vars(class_)] == []


def test_what_may_be_tried_again_is_fixed():
    assert {class_.__name__ for class_ in CLASSES if class_.retryable} == RETRYABLE


@pytest.mark.parametrize("class_", CLASSES, ids=lambda class_: class_.__name__)
def test_errors_cross_process_borders_whole(class_):
    error = class_("It broke.", hint="Mend it.", catalog="pg", line=3)
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(again) is class_
        assert (again.message, again.hint, str(again)) == ("It broke.", "Mend it.", str(error))
        assert again.context == {"catalog": "pg", "line": 3}


def test_a_message_is_one_line_with_its_hint():
    error = IglooError("It\n broke\r\n here.", hint="Mend\tit.")
    assert error.message == "It broke here."
    assert str(error) == "It broke here. Mend it."
    assert str(IglooError("It broke.")) == "It broke."


def test_unknown_facts_are_left_out_of_the_context():
    assert TableNotFound("No.", catalog="pg", table=None).context == {"catalog": "pg"}


def test_a_false_fact_stays_in_the_context():
    assert SourceUnavailable("No.", port=0, tls=False).context == {"port": 0, "tls": False}


@pytest.mark.parametrize(
    ("wanted", "known", "hint"),
    [
        ("custmers", ["customers", "orders"], 'Did you mean "customers"?'),
        ("CUSTOMER", ["Customers"], 'Did you mean "Customers"?'),
        ("zzz", ["b", "a", "b"], "Known: a, b."),
        ("zzz", [f"table_{number}" for number in range(13)], ""),
        ("zzz", [], ""),
    ],
)
def test_the_closest_name_is_suggested(wanted, known, hint):
    assert did_you_mean(wanted, known) == hint
