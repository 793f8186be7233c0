"""The declarations of all settings. Examples, SHOW SETTINGS and the reference are made from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SettingType = Literal[
    "text", "choice", "freshness", "duration", "size", "number", "timezone", "path"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting.

    Attributes:
        name: full name, e.g. ``igloo.timeout``.
        type: what its text is read as.
        default: its value as text; None when it is absent unless given.
        description: one sentence for people.
        choices: the values allowed, if they are few.
        minimum: smallest number, or bytes, allowed.
        maximum: largest number, or bytes, allowed.
        session: whether SET may change it while a connection is open.
        secret: whether its value is never shown.
    """

    name: str
    type: SettingType
    default: str | None
    description: str
    choices: tuple[str, ...] = ()
    minimum: int = 0
    maximum: int = 2**63 - 1
    session: bool = True
    secret: bool = False


SETTINGS: tuple[Setting, ...] = (
    Setting(
        name="igloo.pushdown",
        type="choice",
        default="full",
        choices=("full", "scan", "off"),
        description=(
            "How much work is sent to sources: everything that is provably exact, "
            "filters and columns only, or nothing."
        ),
    ),
    Setting(
        name="igloo.rewrites",
        type="choice",
        default="on",
        choices=("on", "off"),
        description=(
            "Whether statements that DataFusion is known to answer wrongly are rewritten; "
            "off shows what it would answer."
        ),
    ),
    Setting(
        name="igloo.freshness",
        type="freshness",
        default="auto",
        choices=("auto", "strict", "bounded(5s)", "session", "any", "off"),
        description="How old a remembered answer may be; off asks the sources every time.",
    ),
    Setting(
        name="igloo.session_token",
        type="text",
        default="",
        description="With freshness session: the stats.token of the write that must be seen.",
    ),
    Setting(
        name="igloo.execution",
        type="choice",
        default="auto",
        choices=("auto", "embedded"),
        description="Where queries run; this version runs them in the calling process only.",
    ),
    Setting(
        name="igloo.timeout",
        type="duration",
        default="0",
        description="Time after which a query is stopped, e.g. 30s or 5m; 0 for none.",
    ),
    Setting(
        name="igloo.memory_limit",
        type="size",
        default="50%",
        minimum=10**6,
        description=(
            "Memory that queries may hold before they spill to disk, e.g. 4GiB; "
            "a percentage is of this machine's or container's memory."
        ),
    ),
    Setting(
        name="igloo.timezone",
        type="timezone",
        default="UTC",
        description="Time zone of the session: an IANA name or an offset such as +02:00.",
    ),
    Setting(
        name="igloo.batch_rows",
        type="number",
        default="8192",
        minimum=1,
        maximum=1_000_000,
        description="Rows in one batch of a result at most.",
    ),
    Setting(
        name="igloo.target_partitions",
        type="number",
        default="0",
        maximum=1024,
        description="Parts that a query is worked on at once; 0 for one for each processor.",
    ),
    Setting(
        name="igloo.catalog_store",
        type="path",
        default=None,
        session=False,
        description=(
            "File that keeps the catalogs and views made by SQL; "
            "without it they live as long as the connection."
        ),
    ),
    Setting(
        name="igloo.limits.cross_join_rows",
        type="number",
        default="1000000000",
        description=(
            "Pairs of rows above which a join without an equality is refused, "
            "because it cannot be cancelled once it runs."
        ),
    ),
    Setting(
        name="igloo.limits.statement_bytes",
        type="size",
        default="512KiB",
        minimum=1,
        description="Size of the longest statement.",
    ),
    Setting(
        name="igloo.limits.nesting_depth",
        type="number",
        default="100",
        minimum=1,
        maximum=250,
        description="Levels of parentheses and subqueries in the deepest statement.",
    ),
    Setting(
        name="igloo.limits.expression_terms",
        type="number",
        default="2000",
        minimum=1,
        # A main thread's 8 MiB of stack were measured to overflow from 6,000 on.
        maximum=4000,
        description=(
            "Operators in the longest chain, such as a + b + c; a join counts as 8. "
            "Lists of values and columns may be of any length."
        ),
    ),
    Setting(
        name="igloo.limits.result_rows_kept",
        type="number",
        default="0",
        description="Rows that a conversion of a whole result may keep in memory; 0 for no limit.",
    ),
    Setting(
        name="igloo.limits.query_history",
        type="number",
        default="1000",
        session=False,
        description="Finished queries that system.queries remembers.",
    ),
    Setting(
        name="igloo.limits.spill_bytes",
        type="size",
        default="100GB",
        description="Size of the temporary files that queries may hold when they spill to disk.",
    ),
)
