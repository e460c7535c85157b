#!/bin/sh
# Make .venv and install what is locked, or do nothing at all when that has been done.
#
#   tools/setup.sh run    the bot, its sandboxed AWS and mail catcher
#   tools/setup.sh dev    the same, with what tests and checks need
#   tools/setup.sh lock   compile the lock files (uv from PATH, or installed into .venv-lock)
#
# Copies of the lock files inside .venv tell what is installed: the contents decide, not the dates, so
# switching branches back and forth costs nothing.
set -eu
cd "$(dirname "$0")/.."

VENV=${VENV:-.venv}
PYTHON=${PYTHON:-python3}

fail() {
    printf '%s\n' "$@" >&2
    exit 1
}

is_new_enough() {
    command -v "$1" >/dev/null 2>&1 &&
        "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

# Prints the interpreter to use: $PYTHON, else the newest one that the project is tested with.
find_python() {
    for candidate in "$PYTHON" python3.13 python3.12 python3.11 python3.14 python; do
        if is_new_enough "$candidate"; then
            command -v "$candidate"
            return
        fi
    done
    found=$("$PYTHON" --version 2>&1) || found="no $PYTHON"
    fail "Quartermaster needs Python 3.11 or newer; found: $found." \
        "Install one, or say where it is: make PYTHON=/path/to/python3.12 …"
}

make_venv() {
    python=$(find_python)
    "$python" -c 'import ensurepip, venv' >/dev/null 2>&1 ||
        fail "$python cannot make virtual environments: its venv module is missing." \
            "On Debian and Ubuntu: sudo apt-get install python3-venv"
    echo "Making $1 with $("$python" --version)"
    "$python" -m venv --clear "$1"
}

# Whether the lock files given are installed as they are now.
is_installed() {
    [ -x "$VENV/bin/python" ] || return 1
    for lock in "$@"; do
        cmp -s "$lock" "$VENV/installed/$lock" || return 1
    done
}

install_locked() {
    if is_installed "$@"; then return; fi
    # A venv whose interpreter is gone or too old is made anew.
    is_new_enough "$VENV/bin/python" || make_venv "$VENV"
    echo "Installing $*"
    set -- "$@" --
    while [ "$1" != -- ]; do
        set -- "$@" --requirement "$1"
        shift
    done
    shift
    rm -rf "$VENV/installed"
    "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes "$@"
    mkdir "$VENV/installed"
    while [ $# -gt 0 ]; do
        cp "$2" "$VENV/installed/$2"
        shift 2
    done
}

compile_locks() {
    if ! uv=$(command -v uv); then
        [ -x .venv-lock/bin/uv ] || {
            make_venv .venv-lock
            .venv-lock/bin/python -m pip install --quiet --disable-pip-version-check uv
        }
        uv=$PWD/.venv-lock/bin/uv
    fi
    python=$(find_python)
    "$python" tools/locks.py compile "$uv"
}

case ${1:-} in
run) install_locked requirements.txt requirements-sandbox.txt ;;
dev) install_locked requirements.txt requirements-sandbox.txt requirements-dev.txt ;;
lock) compile_locks ;;
*) fail "usage: $0 run | dev | lock" ;;
esac
