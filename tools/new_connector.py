"""Writes a new connector that works from the start, for its author to change.

    python tools/new_connector.py NAME

It makes the connector's file, its entry point, its rule of imports, its test and its section of the
documentation. ``make new-connector NAME=x`` installs the entry point and renders the pages, too.
"""

from __future__ import annotations

import keyword
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TEMPLATES = ROOT / "tools" / "new_connector"
_GROUP = '[project.entry-points."igloo.connectors"]\n'
_RULE = 'name = "connectors do not know one another"\n'


class RefusedError(Exception):
    """No connector can be called that."""


def main(arguments: list[str]) -> int:
    """Write the files, or say why not."""
    try:
        name = checked(arguments[0] if len(arguments) == 1 else "")
    except RefusedError as refusal:
        print(f"new connector: {refusal}", file=sys.stderr)
        return 2
    for path in write(name):
        print(path.relative_to(ROOT))
    return 0


def checked(name: str) -> str:
    """Return the name if a connector can have it and none has."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or keyword.iskeyword(name):
        raise RefusedError("Give a lower-case word: make new-connector NAME=paper")
    taken = [
        path for path in (module(name), module(name).with_suffix(""), test(name)) if path.exists()
    ]
    if taken or f"\n{name} = " in (ROOT / "pyproject.toml").read_text("utf-8"):
        raise RefusedError(f'"{name}" is there already.')
    return name


def module(name: str) -> Path:
    """Return where the connector stands."""
    return ROOT / "src" / "igloo" / "connectors" / f"{name}.py"


def test(name: str) -> Path:
    """Return where its test stands."""
    return ROOT / "tests" / "conformance" / f"test_{name}.py"


def write(name: str) -> tuple[Path, ...]:
    """Write everything; return the files that were made or changed."""
    page, project = ROOT / "docs" / "reference" / "connectors.md", ROOT / "pyproject.toml"
    module(name).write_text(filled("connector", name), "utf-8")
    test(name).write_text(filled("test", name), "utf-8")
    page.write_text(page.read_text("utf-8") + filled("section", name), "utf-8")
    news = ROOT / "changelog.d" / f"connector-{name.replace('_', '-')}.added.md"
    news.write_text(f"The connector `{name}`.\n", "utf-8")
    project.write_text(registered(project.read_text("utf-8"), name), "utf-8")
    return module(name), test(name), page, news, project


def filled(template: str, name: str) -> str:
    """Return a template for the connector of that name."""
    text = (TEMPLATES / f"{template}.txt").read_text("utf-8")
    title = "".join(part.capitalize() for part in name.split("_"))
    return text.replace("@name@", name).replace("@Name@", title)


def registered(project: str, name: str) -> str:
    """Return the project file with the connector's entry point and its rule of imports."""
    title = "".join(part.capitalize() for part in name.split("_"))
    point = f'{name} = "igloo.connectors.{name}:{title}Connector"\n'
    project = _with_line(project, _GROUP, "\n\n[", point)
    return _with_line(project, _RULE, "\n]", f'    "igloo.connectors.{name}",\n')


def _with_line(text: str, start: str, end: str, line: str) -> str:
    """Return ``text`` with a line more at the end of the part that goes from start to end."""
    at = text.index(end, text.index(start)) + 1
    return text[:at] + line + text[at:]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
