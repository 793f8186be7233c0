"""Writes the parts of docs/reference that are made from the code.

    python tools/generate_reference.py            rewrite them
    python tools/generate_reference.py --check    only say whether a page is stale

A page marks such a part with ``<!-- generated: NAME -->`` and ``<!-- end generated -->``; what
stands outside is written by hand and left alone.
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import json
import re
import sys
import typing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from igloo import errors
from igloo.config.declared import SETTINGS, Setting
from igloo.config.sources import DATABASE_URL, SOURCE_VARIABLES
from igloo.config.variables import variable_name
from igloo.connectors import contract
from igloo.connectors.registry import connector_names, load_connector

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

ROOT = Path(__file__).resolve().parent.parent
PAGES = ROOT / "docs" / "reference"
SOURCE = ROOT / "src" / "igloo"
#: What a run of the conformance suite found: make conform writes it.
SUPPORT = ROOT / "tests" / "conformance" / "support.json"

_PART = re.compile(
    r"(?P<start><!-- generated: (?P<name>[^>]+?) -->\n).*?(?P<end><!-- end generated -->)",
    re.DOTALL,
)
_REQUIRED = "(required)"

#: Public names by module, in the order of the page.
PUBLIC = {
    "igloo": (
        "connect",
        "Connection",
        "Result",
        "QueryStats",
        "SourceStats",
        "Coordinator",
        "WorkerConfig",
    ),
    "igloo.join": ("JoinEngine", "JoinConfig", "IcebergConfig", "JoinType"),
}

#: Methods that Python and Arrow call, and that users therefore have.
_PROTOCOL_METHODS = frozenset({"__iter__", "__arrow_c_stream__"})

#: What a connector can be besides readable, in the words of the page.
_PROTOCOLS = {
    "ListsFiles": "files are read natively",
    "HoldsArrow": "lies in memory",
    "HasStatistics": "estimates",
    "RunsSql": "`remote_query()`",
    "AcceptsWrites": "writes",
    "HoldsSnapshot": "snapshots",
    "EmitsChanges": "changes",
}


def main(arguments: list[str]) -> int:
    """Rewrite every page, or only compare."""
    stale = []
    for page in sorted(PAGES.glob("*.md")):
        written = page.read_text("utf-8")
        made = regenerated(written)
        if made != written:
            stale.append(page.name)
            if "--check" not in arguments:
                page.write_text(made, "utf-8")
    if stale:
        print(("stale: " if "--check" in arguments else "rewritten: ") + ", ".join(stale))
    return 1 if stale and "--check" in arguments else 0


def regenerated(page: str) -> str:
    """Return a page with its generated parts made anew."""

    def part(match: re.Match[str]) -> str:
        name, _, argument = match["name"].partition(" ")
        text = "\n".join(_PARTS[name](*([argument] if argument else []))).strip("\n")
        return f"{match['start']}\n{text}\n\n{match['end']}"

    return _PART.sub(part, page)


# -- settings ----------------------------------------------------------------------------------


def _settings() -> Iterator[str]:
    for setting in sorted(SETTINGS, key=lambda s: s.name):
        yield f"### `{setting.name}`"
        yield ""
        yield setting.description
        yield ""
        yield f"- Type: {setting.type}{_range(setting)}"
        if setting.choices:
            yield f"- Values: {', '.join(f'`{choice}`' for choice in setting.choices)}"
        yield f"- Default: {f'`{setting.default}`' if setting.default else 'none'}"
        yield f"- Variable: `{variable_name(setting.name)}`"
        yield f"- `SET` while connected: {'yes' if setting.session else 'no'}"
        yield ""


def _range(setting: Setting) -> str:
    if setting.type != "number":
        return ""
    if setting.maximum < 2**62:
        return f", {setting.minimum:,} to {setting.maximum:,}"
    return f", at least {setting.minimum:,}"


def _setting_variables() -> Iterator[str]:
    yield "| variable | setting |"
    yield "|---|---|"
    for setting in sorted(SETTINGS, key=lambda s: s.name):
        anchor = setting.name.replace(".", "")
        yield f"| `{variable_name(setting.name)}` | [`{setting.name}`](settings.md#{anchor}) |"


def _source_variables() -> Iterator[str]:
    yield "| variable | makes |"
    yield "|---|---|"
    for name, text in SOURCE_VARIABLES.items():
        yield f"| `{name}` | {text} |"
        if name == "IGLOO_POSTGRES_URI":
            yield f"| `{DATABASE_URL}` | the same, if it is a PostgreSQL URL and `{name}` is unset |"


# -- errors ------------------------------------------------------------------------------------


def _error_tree() -> Iterator[str]:
    assert errors.__doc__ is not None
    tree = errors.__doc__.partition("\n\n")[2].partition("\n\n")[0]
    yield from ("```text", tree, "```")


def _errors() -> Iterator[str]:
    for kind in _tree_of(errors.IglooError):
        yield f"### `{kind.code}`"
        yield ""
        yield _plain(inspect.getdoc(kind) or "").partition("\n\nAttributes:")[0]
        yield ""
        parent = kind.__bases__[0]
        above = "" if parent is Exception else f", a kind of `{parent.__name__}`"
        yield f"- Class: `igloo.errors.{kind.__name__}`{above}"
        yield f"- The same request may succeed later: {'yes' if kind.retryable else 'no'}"
        if not kind.__subclasses__() and not _is_used(kind.__name__):
            yield "- Reserved: nothing in this version raises it."
        yield ""


def _tree_of(kind: type[errors.IglooError]) -> Iterator[type[errors.IglooError]]:
    yield kind
    for child in kind.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from _tree_of(child)


def _is_used(name: str) -> bool:
    pattern = re.compile(rf"\b{name}\b")
    files = (p for p in SOURCE.rglob("*.py") if p.name != "errors.py" or p.parent != SOURCE)
    return any(
        pattern.search(path.read_text("utf-8")) for path in files if "testing" not in path.parts
    )


# -- connectors --------------------------------------------------------------------------------


def _connectors() -> Iterator[str]:
    operators = [operator.value for operator in contract.Operator]
    heads = [*(f"takes {operator}s" for operator in operators), *_PROTOCOLS.values()]
    yield f"| connector | {' | '.join(heads)} |"
    yield f"|---|{'---|' * len(heads)}"
    for name in connector_names():
        connector = load_connector(name)
        cells = [operator in connector.capabilities.operators for operator in operators]
        cells += [_has(connector, protocol) for protocol in _PROTOCOLS]
        yield f"| [`{name}`](#{name}) | {' | '.join('yes' if c else '' for c in cells)} |"


def _has(connector: type, protocol: str) -> bool:
    return issubclass(connector, getattr(contract, protocol))


#: Parts of the conformance suite, in the order of the page, and its words for them.
_AREAS = {
    "metadata": "names",
    "types": "types",
    "scan": "reading",
    "pushdown": "filters and limits",
    "engine": "through the engine",
    "resources": "streaming and cancelling",
    "failures": "failures",
    "honesty": "honesty",
    "sql": "`remote_query()`",
    "writes": "writes",
}
_GAP_KINDS = {"not_done": "not yet", "not_able": "not able", "not_meant": "not meant"}


def _support() -> Iterator[str]:
    entries = json.loads(SUPPORT.read_text("utf-8"))
    yield f"| connector | {' | '.join(_AREAS.values())} |"
    yield f"|---|{'---|' * len(_AREAS)}"
    for entry in entries:
        yield f"| {_tested(entry)} | {' | '.join(_passed(entry, area) for area in _AREAS)} |"
    yield ""
    for entry in entries:
        reasons: dict[tuple[str, str, str], None] = {}
        for gap in entry["gaps"]:
            reasons[_AREAS[gap["area"]], _GAP_KINDS[gap["kind"]], gap["reason"]] = None
        for area, kind, reason in reasons:
            yield f"- {_tested(entry)}, {area}: {_linked(reason)} ({kind})"


def _tested(entry: dict[str, Any]) -> str:
    connector, variant = entry["connector"], entry["variant"]
    return f"`{connector}`" if connector == variant else f"`{connector}` ({variant})"


def _passed(entry: dict[str, Any], area: str) -> str:
    if area not in entry["areas"]:
        return ""
    gaps = sum(gap["area"] == area for gap in entry["gaps"])
    return "all" if gaps == 0 else f"all but {gaps}"


def _linked(reason: str) -> str:
    """Return a gap's reason with the address that it ends with as a link."""
    return re.sub(r" \((https?://\S+)\)$", r" [Why](\1)", reason)


def _options(connector: str) -> Iterator[str]:
    options_type = load_connector(connector).options_type
    fields = dataclasses.fields(options_type)
    if not fields:
        yield "It has no options."
        return
    yield "| option | type | default | meaning |"
    yield "|---|---|---|---|"
    hints = typing.get_type_hints(options_type)
    for field in fields:
        shown = f"`{field.name}`" if field.name != "storage" else "`storage.*`"
        choices = field.metadata["choices"]
        meaning = field.metadata["help"]
        if choices:
            meaning += f" One of {', '.join(f'`{choice}`' for choice in choices)}."
        cells = (shown, _type_of(hints[field.name]), _default_of(field), _cell(meaning))
        yield f"| {' | '.join(cells)} |"


_TYPE_NAMES = {
    "str": "text",
    "int": "number",
    "float": "number",
    "bool": "`true` or `false`",
    "Path": "path",
    "Location": "path",
    "Secret": "secret",
    "tuple": "list, comma-separated",
    "Mapping": "text",
}


def _type_of(hint: Any) -> str:
    inner = [part for part in typing.get_args(hint) if part is not type(None)]
    is_optional = type(None) in typing.get_args(hint)
    kind = inner[0] if is_optional else typing.get_origin(hint) or hint
    return _TYPE_NAMES[getattr(kind, "__name__", str(kind))]


def _default_of(field: dataclasses.Field[Any]) -> str:
    if field.default is dataclasses.MISSING:
        return _REQUIRED if field.default_factory is dataclasses.MISSING else ""
    if field.default in (None, ()):
        return ""
    if isinstance(field.default, bool):
        return f"`{str(field.default).lower()}`"
    return f"`{field.default}`"


# -- the command line --------------------------------------------------------------------------


def _commands() -> Iterator[str]:
    from typer.main import get_command

    from igloo.cli.main import app

    yield from _command(get_command(app), "igloo")


def _command(command: Any, name: str) -> Iterator[str]:
    context = command.make_context(name, [], resilient_parsing=True)
    if name != "igloo":
        yield f"### `{name}`"
        yield ""
        yield _plain(inspect.cleandoc(command.help or ""))
        yield ""
    yield from _parameters(command.params, context)
    for child in getattr(command, "commands", {}).values():
        yield from _command(child, f"{name} {child.name}")


def _parameters(parameters: Iterable[Any], context: Any) -> Iterator[str]:
    records = [record for p in parameters if (record := p.get_help_record(context))]
    if not records:
        return
    yield "| argument or flag | meaning |"
    yield "|---|---|"
    for shown, meaning in records:
        yield f"| `{_cell(shown)}` | {_cell(meaning)} |"
    yield ""


# -- Python ------------------------------------------------------------------------------------


def _python() -> Iterator[str]:
    for module, names in PUBLIC.items():
        yield f"## `{module}`"
        yield ""
        for name in names:
            yield from _public(module, name)


def _public(module: str, name: str) -> Iterator[str]:
    value = getattr(importlib.import_module(module), name)
    if not inspect.isclass(value):
        yield from _callable(f"{module}.{name}", value, level=3)
        return
    yield f"### `{module}.{name}`"
    yield ""
    yield _document(value)
    yield ""
    if issubclass(value, str):
        yield "Values: " + ", ".join(f"`{member.name}`" for member in value) + "."
        yield ""
        return
    for member, found in vars(value).items():
        if (member.startswith("_") and member not in _PROTOCOL_METHODS) or inspect.getdoc(
            found
        ) is None:
            continue
        if isinstance(found, property):
            yield f"#### `{name}.{member}`"
            yield ""
            yield _document(found)
            yield ""
        elif inspect.isfunction(found):
            yield from _callable(f"{name}.{member}", found, level=4)


def _callable(shown: str, function: Callable[..., Any], *, level: int) -> Iterator[str]:
    signature = inspect.signature(function)
    kept = [p for p in signature.parameters.values() if p.name != "self"]
    text = str(signature.replace(parameters=kept)).replace("'", "")
    yield f"{'#' * level} `{shown}`"
    yield ""
    yield f"`{shown}{text}`"
    yield ""
    yield _document(function)
    yield ""


_SECTION = re.compile(r"^(Args|Attributes|Returns|Raises):$")
_ITEM = re.compile(r"^    (?P<name>\w+): (?P<text>.*)$")


def _document(value: object) -> str:
    """Return a docstring as Markdown."""
    lines = []
    for line in (inspect.getdoc(value) or "").splitlines():
        section, item = _SECTION.match(line), _ITEM.match(line)
        if section:
            lines.append(f"{section[1]}:\n")
        elif item:
            lines.append(f"- `{item['name']}`: {item['text']}")
        elif line.startswith("        "):
            lines[-1] += f" {line.strip()}"
        else:
            lines.append(line.strip())
    return _plain("\n".join(lines))


# -- text --------------------------------------------------------------------------------------


def _plain(text: str) -> str:
    """Return reStructuredText's literals as Markdown's."""
    return text.replace("``", "`")


def _cell(text: str) -> str:
    return " ".join(_plain(text).split()).replace("|", "\\|")


_PARTS: dict[str, Callable[..., Iterable[str]]] = {
    "commands": _commands,
    "connectors": _connectors,
    "error-tree": _error_tree,
    "errors": _errors,
    "options": _options,
    "python": _python,
    "setting-variables": _setting_variables,
    "settings": _settings,
    "support": _support,
    "source-variables": _source_variables,
}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
