import pytest

from igloo.testing.conformance.faults import Faults


class Handle:
    """What a driver gives out."""

    state = "open"

    def read(self):
        return 1

    def close(self):
        return "closed"

    def __iter__(self):
        return iter(())


class Driver:
    def connect(self):
        return Handle()

    @staticmethod
    def version():
        return 5

    @classmethod
    def named(cls):
        return cls.__name__


class SpecialDriver(Driver):
    pass


def faults(call, *, is_lasting=False):
    return Faults(OSError("planted"), call=call, is_lasting=is_lasting, types=(Handle,))


def versions(planted, times):
    """Return what each of several calls did."""
    found = []
    with planted.planted([(Driver, "version")]):
        for _ in range(times):
            try:
                found.append(Driver.version())
            except OSError:
                found.append("failed")
    return found


@pytest.mark.parametrize(
    ("is_lasting", "wanted"), [(False, [5, "failed", 5]), (True, [5, "failed", "failed"])]
)
def test_one_call_fails_or_that_and_all_after_it(is_lasting, wanted):
    planted = faults(2, is_lasting=is_lasting)
    assert versions(planted, 3) == wanted
    assert planted.is_struck


def test_a_call_that_never_comes_strikes_nothing():
    planted = faults(4)
    assert versions(planted, 3) == [5, 5, 5]
    assert not planted.is_struck


def test_after_relenting_every_call_succeeds():
    planted = faults(1, is_lasting=True)
    with planted.planted([(Driver, "named")]):
        with pytest.raises(OSError, match="planted"):
            Driver.named()
        planted.relent()
        assert Driver.named() == "Driver"
    assert planted.is_struck


def test_methods_of_what_is_given_out_are_calls_too_but_for_giving_back():
    planted = faults(3)
    with planted.planted([(Driver, "connect")]):
        handle = Driver().connect()
        assert (handle.read(), handle.state) == (1, "open")
        assert handle.close() == "closed"
        with pytest.raises(OSError, match="planted"):
            handle.read()


def test_whatever_is_planted_is_taken_out_again():
    before = {name: vars(Driver)[name] for name in ("connect", "version", "named")}
    places = [(SpecialDriver, "connect"), *((Driver, name) for name in before)]
    with faults(1).planted(places):
        assert vars(Driver)["connect"] is not before["connect"]
    assert {name: vars(Driver)[name] for name in before} == before
    assert "connect" not in vars(SpecialDriver)
