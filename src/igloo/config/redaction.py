"""Takes secrets out of text that people see."""

from __future__ import annotations

import re

from igloo.config.secrets import MASK

_SENSITIVE_WORD = (
    r"(?:pass(?:word|wd|phrase|code)?|pwd|secret|token|credentials?|api[-_]?key|sslpassword)"
)
_SECRET_NAME = re.compile(
    rf"(?:\A|[._-]){_SENSITIVE_WORD}\Z|secret|(?:access|account|private|shared)[-_]?key(?![-_]?id)",
    re.IGNORECASE,
)
_ONLY_REFERENCES = re.compile(r"(?:\$\{[a-z]+:[^}]*\})+\Z")
#: The user part may itself hold an unescaped "@" or "/", so the last "@" before white space ends it.
_USER_INFO = re.compile(
    r"(?P<scheme>[a-zA-Z][\w+.-]{0,30}://)(?P<user>[^:@/\s'\"]*):(?P<password>[^\s'\"]*)@"
)
_KEYWORD = re.compile(
    rf"(?P<name>\b[\w.-]{{0,60}}{_SENSITIVE_WORD}\s*=\s*)"
    r"(?P<value>'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|[^\s&;,)]+)",
    re.IGNORECASE,
)


def redact_uri(text: str) -> str:
    """Return ``text`` with each password in it as dots.

    Understands ``scheme://user:password@host``, ``password=…`` among keywords and in the query of
    a URL, wherever they stand in the text. References such as ``${env:NAME}`` stay readable.
    """
    text = _USER_INFO.sub(_mask_user_info, text)
    return _KEYWORD.sub(lambda m: m["name"] + _masked(m["value"]), text)


def redact_option(name: str, value: str) -> str:
    """Return how the option ``name`` of a catalog is shown: a secret as dots, references as written."""
    if is_secret_name(name):
        return _masked(value)
    return redact_uri(value)


def is_secret_name(name: str) -> bool:
    """Return whether an option of that name holds a secret, e.g. ``storage.secret_access_key``."""
    return _SECRET_NAME.search(name) is not None


def _mask_user_info(match: re.Match[str]) -> str:
    return f"{match['scheme']}{match['user']}:{_masked(match['password'])}@"


def _masked(value: str) -> str:
    return value if not value or _ONLY_REFERENCES.match(value) else MASK
