"""Makes igloo.example.toml from the declarations: ``python -m igloo.config.example > FILE``."""

from __future__ import annotations

import sys
import textwrap
from typing import TYPE_CHECKING

from igloo.config.declared import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from igloo.config.declared import Setting

_HEAD = """\
# Every setting of Igloo with its default. Copy it to igloo.toml and keep what you change.
#
# Secrets and this machine's paths belong into .env (see .env.example); refer to them here as
# ${env:NAME}, or to a file that holds one as ${file:PATH}. Relative paths start at this file.
# What wins: defaults < igloo.toml < IGLOO_* in .env < IGLOO_* of the process < flags < SET.
# `igloo config show` tells where each value comes from, `igloo config check` what is wrong.
"""

_CATALOGS = """\
# Catalogs. The name after the dot is the catalog's name in SQL; `connector` says what it is, and
# everything else is an option of that connector. SQL cannot change a catalog that stands here.
#
# [catalogs.sales]
# connector = "postgres"
# uri = "${env:SALES_DATABASE_URL}"
#
# [catalogs.files]
# connector = "files"
# path = "data"
#
# [catalogs.lake]
# connector = "iceberg"
# type = "folder"
# warehouse = "warehouse"
"""


def example_toml() -> str:
    """Return the text of igloo.example.toml: every setting commented out, at its default."""
    top = [s for s in SETTINGS if "." not in _key(s)]
    sections = sorted({_key(s).partition(".")[0] for s in SETTINGS if "." in _key(s)})
    parts = [_HEAD, *(_entry(s, _key(s)) for s in top)]
    for section in sections:
        inside = [s for s in SETTINGS if _key(s).startswith(f"{section}.")]
        entries = "\n".join(_entry(s, _key(s).partition(".")[2]) for s in inside)
        parts.append(f"[{section}]\n{entries}")
    return "\n".join([*parts, _CATALOGS])


def _key(setting: Setting) -> str:
    return setting.name.removeprefix("igloo.")


def _entry(setting: Setting, key: str) -> str:
    return "\n".join([*_comments(setting), f"# {key} = {_default(setting)}", ""])


def _comments(setting: Setting) -> Iterator[str]:
    for line in textwrap.wrap(setting.description, width=97):
        yield f"# {line}"
    if setting.choices:
        yield f"# One of: {', '.join(setting.choices)}."


def _default(setting: Setting) -> str:
    if setting.type == "number":
        return setting.default or "0"
    return f'"{setting.default or ""}"'


if __name__ == "__main__":
    sys.stdout.write(example_toml())
