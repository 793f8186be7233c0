import os

from igloo.config import machine


def _cgroup(tmp_path, path="0::/\n"):
    own = tmp_path / "own_cgroup"
    own.write_text(path)
    root = tmp_path / "cgroup"
    root.mkdir()
    return root, own


def test_memory_is_the_machine_s_without_a_container(tmp_path):
    root, own = _cgroup(tmp_path)
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert machine.memory_bytes(cgroup=root, own_cgroup=own) == physical


def test_memory_is_the_container_s_limit(tmp_path):
    root, own = _cgroup(tmp_path)
    (root / "memory.max").write_text("104857600\n")
    assert machine.memory_bytes(cgroup=root, own_cgroup=own) == 104857600


def test_no_limit_is_not_a_limit(tmp_path):
    root, own = _cgroup(tmp_path)
    (root / "memory.max").write_text("max\n")
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert machine.memory_bytes(cgroup=root, own_cgroup=own) == physical


def test_the_tightest_limit_on_the_path_of_the_group_holds(tmp_path):
    root, own = _cgroup(tmp_path, "0::/user/session\n")
    (root / "user" / "session").mkdir(parents=True)
    (root / "user" / "session" / "memory.max").write_text("max\n")
    (root / "user" / "memory.max").write_text("209715200\n")
    assert machine.memory_bytes(cgroup=root, own_cgroup=own) == 209715200


def test_the_older_kind_of_groups_is_read_too(tmp_path):
    root, own = _cgroup(tmp_path, "5:cpu:/x\n4:memory:/docker/abc\n")
    (root / "memory").mkdir()
    (root / "memory" / "memory.limit_in_bytes").write_text("52428800\n")
    assert machine.memory_bytes(cgroup=root, own_cgroup=own) == 52428800


def test_a_processor_quota_rounds_up_and_never_exceeds_the_machine(tmp_path):
    root, own = _cgroup(tmp_path)
    (root / "cpu.max").write_text("50000 100000\n")
    assert machine.processor_count(cgroup=root, own_cgroup=own) == 1
    (root / "cpu.max").write_text("max 100000\n")
    everything = machine.processor_count(cgroup=root, own_cgroup=own)
    assert everything >= 1
    (root / "cpu.max").write_text("99000000 100000\n")
    assert machine.processor_count(cgroup=root, own_cgroup=own) == everything
