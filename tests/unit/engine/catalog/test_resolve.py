"""Names over catalogs in memory, without SQL."""

import pyarrow as pa
import pytest

from igloo.config.load import CatalogConfig
from igloo.connectors.memory import MemoryConnector
from igloo.engine.catalog.catalogs import Catalogs
from igloo.engine.catalog.external import ExternalTables
from igloo.engine.catalog.resolve import START, FoundTable, Place, Resolver
from igloo.engine.catalog.views import View, Views
from igloo.errors import CatalogNotFound, InvalidSetting, TableNotFound, UserError
from igloo.names import TableName, TablePath


class World:
    """Catalogs, views and a resolver over them."""

    def __init__(self):
        self.catalogs = Catalogs({})
        self.catalogs.build_in(MemoryConnector("memory"))
        self.views = Views()
        self.external = ExternalTables({})
        self.resolver = Resolver(self.catalogs, self.views, self.external)

    def catalog(self, name, *tables, connector="memory"):
        config = CatalogConfig(name=name, connector=connector, options={}, origin="test", base=None)
        self.catalogs.configure(config)
        for table in tables:
            self.table(name, table)

    def table(self, catalog, table):
        name = TableName("public", table)
        self.catalogs.connector(catalog).put(name, pa.table({"a": [1]}))

    def view(self, catalog, schema, name):
        path = TablePath(catalog, schema, name)
        view = View(path=path, text="SELECT 1", columns=(), catalog="memory", schema="public")
        self.views.create(view, or_replace=False, if_not_exists=False)
        return view

    def means(self, *parts, place=START):
        return str(self.resolver.resolve(parts, place).path)


@pytest.fixture
def world():
    made = World()
    yield made
    made.catalogs.close()


def test_three_two_and_one_part(world):
    world.catalog("c", "t")
    world.table("memory", "m")
    assert world.means("c", "public", "t") == "c.public.t"
    assert world.means("c", "t") == "c.public.t"
    assert world.means("public", "m") == "memory.public.m"
    assert world.means("m") == "memory.public.m"
    assert world.means("t", place=Place("c", "public")) == "c.public.t"
    assert isinstance(world.resolver.resolve(("m",), START), FoundTable)


def test_every_split_of_a_short_name_is_tried(world):
    world.catalog("a", "x")
    world.catalog("a_b", "c_d")
    assert world.means("a_x") == "a.public.x"
    assert world.means("a_b_c_d") == "a_b.public.c_d"


@pytest.mark.parametrize("name", ["_t", "c_", "_", "c__t", "c.t"])
def test_odd_short_names_are_not_found_and_crash_nothing(world, name):
    world.catalog("c", "t")
    with pytest.raises(TableNotFound):
        world.means(name)


def test_a_short_name_with_two_meanings_names_both(world):
    world.catalog("a", "b_t")
    world.catalog("a_b", "t")
    with pytest.raises(UserError, match=r'"a\.public\.b_t" and "a_b\.public\.t"'):
        world.means("a_b_t")


def test_a_short_name_finds_views_in_schemas_of_their_own(world):
    world.catalog("c")
    world.view("c", "own", "v")
    assert world.means("c_v") == "c.own.v"


def test_the_current_schema_beats_a_short_name(world):
    world.catalog("c", "t")
    world.table("memory", "c_t")
    assert world.means("c_t") == "memory.public.c_t"


def test_a_catalog_that_does_not_open_is_told_only_where_its_name_is_meant(world):
    world.catalog("bad", connector="no_such")
    world.catalog("good", "t")
    assert world.means("good_t") == "good.public.t"
    with pytest.raises(InvalidSetting, match="no_such"):
        world.means("bad_t")
    with pytest.raises(InvalidSetting, match="no_such"):
        world.means("bad", "public", "t")


def test_exact_case_beats_other_case_and_two_others_are_refused(world):
    world.table("memory", "Orders")
    assert world.means("orders") == "memory.public.Orders"
    world.table("memory", "ORDERS")
    assert world.means("ORDERS") == "memory.public.ORDERS"
    with pytest.raises(UserError, match=r'"ORDERS" and "public"\."Orders"'):
        world.means("orders")


def test_a_view_is_found_by_its_path(world):
    view = world.view("memory", "public", "v")
    assert world.resolver.resolve(("v",), START) is view
    assert world.resolver.resolve(("memory", "public", "v"), START) is view


def test_what_is_not_there_is_told_with_a_guess(world):
    world.catalog("sales", "orders")
    with pytest.raises(TableNotFound, match='Did you mean "orders"'):
        world.means("sales", "public", "ordres")
    with pytest.raises(CatalogNotFound, match='Did you mean "sales"'):
        world.means("salse", "public", "orders")
    world.view("memory", "public", "people")
    with pytest.raises(TableNotFound, match='Did you mean "people"'):
        world.means("peopel")


@pytest.mark.parametrize(
    ("parts", "path"),
    [
        (("t",), "memory.public.t"),
        (("public", "t"), "memory.public.t"),
        (("c", "t"), "c.public.t"),
        (("new", "t"), "memory.new.t"),
        (("c", "s", "t"), "c.s.t"),
    ],
)
def test_a_new_table_goes_where_its_name_says(world, parts, path):
    world.catalog("c")
    assert str(world.resolver.path_for_new(parts, START)) == path


def test_a_new_table_needs_a_catalog_that_is_there(world):
    with pytest.raises(CatalogNotFound):
        world.resolver.path_for_new(("nope", "s", "t"), START)


def test_has_table_knows_tables_and_no_views(world):
    world.table("memory", "t")
    world.view("memory", "public", "v")
    has = {name: world.resolver.has_table(TablePath("memory", "public", name)) for name in "tvx"}
    assert has == {"t": True, "v": False, "x": False}


def test_a_catalog_that_is_not_there_is_told_with_a_guess(world):
    world.catalog("sales", "t")
    with pytest.raises(TableNotFound, match=r'"sale" is no catalog.*Did you mean "sales"'):
        world.means("sale", "t")
    with pytest.raises(TableNotFound, match=r'There is no table "sales\.u"\. '):
        world.means("sales", "u")
