#!/bin/sh
# Makes .venv and installs Igloo into it, at the versions of uv.lock.
#
#   sh tools/setup.sh demo    what the demo needs
#   sh tools/setup.sh test    what the tests need, the demo included
#   sh tools/setup.sh dev     what a contributor needs, the tests included
#
# PYTHON names the interpreter that .venv is made from. A second run with nothing changed does
# nothing. Only .venv, .cache and the package cache of the user are written.
set -eu

UV_VERSION=0.11.33
VIRTUALENV_VERSION=21.15.8
PYTHON=${PYTHON:-python3}
venv_python=.venv/bin/python

cd "$(dirname "$0")/.."

fail() {
    printf 'setup: %s\n' "$*" >&2
    exit 1
}

profile=${1:-}
case $profile in
demo) needs='--extra demo' covers='demo' ;;
test) needs='--group test' covers='test demo' ;;
dev) needs='--group dev' covers='dev test demo' ;;
*) fail 'say what to install: demo, test or dev.' ;;
esac

# Where it lies counts too: an installation that was moved points to the old place.
key=$(cat uv.lock pyproject.toml tools/setup.sh | cksum)" $PWD"
stamp=.venv/installed-$profile
if [ -x "$venv_python" ] && [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$key" ]; then
    exit 0
fi

# An environment that is active in the caller's shell must not be mistaken for .venv.
unset VIRTUAL_ENV CONDA_PREFIX PYTHONHOME PYTHONPATH UV_PYTHON UV_SYSTEM_PYTHON || true
PIP_USER=0 PIP_REQUIRE_VIRTUALENV=0
UV_PROJECT_ENVIRONMENT=.venv UV_PYTHON_DOWNLOADS=never UV_HTTP_TIMEOUT=${UV_HTTP_TIMEOUT:-180}
export PIP_USER PIP_REQUIRE_VIRTUALENV
export UV_PROJECT_ENVIRONMENT UV_PYTHON_DOWNLOADS UV_HTTP_TIMEOUT
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1

# Where the home folder cannot be written to, the package cache lies in the checkout.
cache=${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}
if [ -z "${UV_CACHE_DIR:-}" ] && ! { mkdir -p "$cache" && [ -w "$cache" ]; } 2>/dev/null; then
    export UV_CACHE_DIR="$PWD/.cache/uv" PIP_NO_CACHE_DIR=1
fi

check_python() {
    command -v "$PYTHON" >/dev/null 2>&1 ||
        fail "there is no \"$PYTHON\". Install Python 3.11 or newer, or run: make PYTHON=/path/to/python3"
    found=$("$PYTHON" -c 'import sys; print("%d.%d" % sys.version_info[:2])') ||
        fail "\"$PYTHON\" does not run."
    "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        fail "\"$PYTHON\" is Python $found; Igloo needs 3.11 or newer. Run: make PYTHON=/path/to/python3.11"
}

make_venv() {
    check_python
    echo "Making .venv with Python $found" >&2
    # Debian and Ubuntu ship python3 without ensurepip; virtualenv carries its own pip.
    if "$PYTHON" -c 'import ensurepip' 2>/dev/null && "$PYTHON" -m venv --clear .venv >&2; then
        return
    fi
    "$PYTHON" -m pip --version >/dev/null 2>&1 ||
        fail "\"$PYTHON\" has neither ensurepip nor pip. Install one of them (Debian: python3-venv)."
    echo 'venv cannot bring pip here; using virtualenv' >&2
    bootstrap=$(mktemp -d)
    trap 'rm -rf "$bootstrap"' EXIT
    "$PYTHON" -m pip install --quiet --target "$bootstrap" "virtualenv==$VIRTUALENV_VERSION" >&2
    PYTHONPATH="$bootstrap" "$PYTHON" -m virtualenv --quiet --clear .venv >&2
}

has_uv() {
    [ "$("$venv_python" -m uv --version 2>/dev/null | cut -d' ' -f2)" = "$UV_VERSION" ]
}

can_install() {
    "$venv_python" -c 'import sys, pip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

rm -f "$stamp"
if ! has_uv; then
    # An environment that a stopped run left half made, or whose Python has gone, is made anew.
    can_install || make_venv
    "$venv_python" -m pip install --quiet "uv==$UV_VERSION" >&2
fi
echo "Installing what \"$profile\" needs" >&2
# The lock file decides; extras that were installed before stay.
# shellcheck disable=SC2086
"$venv_python" -m uv sync --quiet --frozen --inexact --no-default-groups $needs \
    --python "$venv_python" >&2
for covered in $covers; do
    printf '%s' "$key" >".venv/installed-$covered"
done
