"""The gate that every path and URL written in SQL passes.

A statement may name places of the machine that the engine runs on: in CREATE EXTERNAL TABLE, COPY …
TO, and the options of CREATE CATALOG. Who runs the engine in an own process may name any. Whoever
sends statements to a served engine may not: only what lies below the roots that its operator names.
"""

from __future__ import annotations

import dataclasses
import glob
import ipaddress
import os
import re
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from igloo.config.secrets import Secret
from igloo.connectors.options import Location, Options
from igloo.errors import AccessDenied

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_WILDCARD = re.compile(r"[*?[]")
_HTTP = frozenset({"http", "https"})
#: Options that hold an address, by the last part of their name.
_ADDRESSES = frozenset({"uri", "url", "endpoint", "host"})
#: Where clouds hand out the credentials of a machine, beside the link-local addresses.
_METADATA_HOSTS = frozenset({"metadata", "metadata.google.internal", "instance-data"})
_METADATA_ADDRESSES = frozenset(
    ipaddress.ip_address(text) for text in ("100.100.100.200", "fd00:ec2::254")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """What statements may name.

    Attributes:
        data_roots: folders and URLs below which they may read; None for everywhere.
        write_roots: those below which they may write; None for everywhere.
        http_hosts: hosts, with their port if it is not the usual one, that they may fetch from.
        secrets: whether options may refer to variables and files of the process.
    """

    data_roots: tuple[str, ...] | None = ()
    write_roots: tuple[str, ...] | None = ()
    http_hosts: frozenset[str] = frozenset()
    secrets: bool = False

    @property
    def is_open(self) -> bool:
        """Whether everything may be read."""
        return self.data_roots is None

    def check_read(self, location: Location) -> None:
        """Let a statement read a file, a folder, a glob or a URL.

        Raises:
            AccessDenied: it is outside of what statements may read.
        """
        if self.data_roots is not None:
            self._check(location, self.data_roots, "read")

    def check_write(self, location: Location) -> None:
        """Let a statement write a file or a folder.

        Raises:
            AccessDenied: it is outside of what statements may write.
        """
        if self.write_roots is not None:
            self._check(location, self.write_roots, "write")

    def check_references(self, options: Mapping[str, str]) -> None:
        """Let the options of a statement refer to secrets of the process.

        Raises:
            AccessDenied: one refers to a variable or a file, and may not.
        """
        if self.is_open or self.secrets:
            return
        for name, text in options.items():
            if "${" in text:
                raise AccessDenied(
                    f'The option "{name}" refers to a variable or a file of the server.',
                    hint="Ask the operator to configure the catalog in igloo.toml.",
                )

    def check_options(self, options: Options) -> None:
        """Let a catalog that a statement makes reach what its options name.

        Raises:
            AccessDenied: a path, an address or a host is outside of what statements may reach.
        """
        if self.is_open:
            return
        for name, value in _named_values(options):
            if isinstance(value, Path):
                self.check_read(Location(str(value)))
            elif isinstance(value, Location):
                self.check_read(value)
            elif name.rpartition(".")[2] in _ADDRESSES:
                self._check_address(value)

    def _check(self, location: Location, roots: Iterable[str], action: str) -> None:
        if location.scheme in _HTTP:
            self._check_http(location.text)
            return
        places = [] if location.scheme else list(_real_paths(location))
        if any(_is_below(location, places, root) for root in roots):
            return
        raise AccessDenied(
            f'Statements may not {action} "{location.text}".',
            hint="Name a place below the folders that igloo.server.data_roots lists.",
        )

    def _check_address(self, text: str) -> None:
        scheme = text.partition("://")[0].lower() if "://" in text else ""
        if scheme in _HTTP:
            self._check_http(text)
        elif scheme.startswith(("sqlite", "duckdb", "file")):
            self.check_read(Location(_file_of(text)))
        else:
            _check_host(urlsplit(text).hostname if scheme else text)

    def _check_http(self, url: str) -> None:
        parts = urlsplit(url)
        _check_host(parts.hostname)
        host = parts.netloc.rpartition("@")[2].lower()
        if host not in self.http_hosts:
            raise AccessDenied(
                f'Statements may not fetch from "{host}".',
                hint="Ask the operator to list the host.",
            )


#: For an engine in the caller's own process: who could do it in Python may do it in SQL.
OPEN = Gate(data_roots=None, write_roots=None, secrets=True)


def _named_values(options: Options) -> Iterable[tuple[str, Path | Location | str]]:
    for declared in dataclasses.fields(options):
        value = getattr(options, declared.name)
        if isinstance(value, Secret):
            yield declared.name, value.reveal()
        elif isinstance(value, (Path, Location, str)):
            yield declared.name, value
        elif declared.name == "storage":
            yield from value.items()


def _file_of(url: str) -> str:
    """Return the path in ``sqlite:///relative``, ``sqlite:////absolute`` or ``file:///path``."""
    scheme, _, rest = url.partition("://")
    return url if scheme.lower() == "file" else rest.removeprefix("/")


def _is_below(location: Location, places: Iterable[str], root: str) -> bool:
    if location.scheme or "://" in root:
        url = location.text
        is_plain = ".." not in url.split("/") and "%" not in url
        return is_plain and (url + "/").startswith(root.rstrip("/") + "/")
    resolved_root = os.path.realpath(root)
    return all(Path(place).is_relative_to(resolved_root) for place in places)


def _real_paths(location: Location) -> Iterator[str]:
    """Yield where a path leads when links are followed; for a glob, each of its matches too."""
    if not location.has_wildcard:
        yield os.path.realpath(location.path)
        return
    # A pattern that matches nothing now may match later.
    fixed, varying = _WILDCARD.split(location.path, maxsplit=1)
    yield os.path.realpath(fixed.rpartition("/")[0] or "/")
    if ".." in varying.split("/"):
        yield "/"
    for match in glob.iglob(location.pattern, recursive=True, include_hidden=True):  # noqa: PTH207 - links must stay
        yield os.path.realpath(match)


def _check_host(host: str | None) -> None:
    """Refuse the addresses at which a cloud gives away the credentials of its machines."""
    name = (host or "").rstrip(".").lower()
    address = _address(name)
    is_refused = name in _METADATA_HOSTS or (
        address is not None and (address.is_link_local or address in _METADATA_ADDRESSES)
    )
    if is_refused:
        raise AccessDenied(f'Statements may not reach "{host}".')


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(name.strip("[]").partition("%")[0])
    except ValueError:
        try:
            # 2852039166 and 0xa9fea9fe are 169.254.169.254 to whoever dials them.
            return ipaddress.IPv4Address(socket.inet_aton(name))
        except OSError:
            return None
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped if mapped is not None else address
