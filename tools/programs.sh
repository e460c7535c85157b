#!/bin/sh
# See that the programs which tests drive are there: PostgreSQL's server and Chromium.
#
# What is missing is installed with apt where that is possible without asking (as root, or with a sudo
# that needs no password). Otherwise this says what will be skipped and why; it never fails, since the
# tests themselves decide what a skip means (with CI=true: failure).
set -eu

has_postgres() {
    command -v initdb >/dev/null 2>&1 && return
    for program in /usr/lib/postgresql/*/bin/initdb /usr/pgsql-*/bin/initdb \
        /opt/homebrew/opt/postgresql*/bin/initdb /usr/local/opt/postgresql*/bin/initdb; do
        [ -x "$program" ] && return
    done
    return 1
}

has_chromium() {
    [ -n "${CHROMIUM:-}" ] && [ -x "$CHROMIUM" ] && return
    for name in chromium chromium-browser google-chrome google-chrome-stable; do
        # Ubuntu's chromium-browser is a script that only says to install a snap.
        command -v "$name" >/dev/null 2>&1 && "$name" --version >/dev/null 2>&1 && return
    done
    [ -x "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" ] && return
    return 1
}

# Runs apt-get with the right to install, or fails.
apt() {
    command -v apt-get >/dev/null 2>&1 || return 1
    set -- env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120 "$@"
    if [ "$(id -u)" -eq 0 ]; then
        "$@" </dev/null >&2
    elif command -v sudo >/dev/null 2>&1 && sudo -n true >/dev/null 2>&1; then
        sudo -n "$@" </dev/null >&2
    else
        return 1
    fi
}

updated=
install() {
    echo "Installing $* with apt"
    [ -n "$updated" ] || apt update || return 1
    updated=yes
    apt install --yes --no-install-recommends "$@"
}

explain() {
    echo "Note: $1 is not here and could not be installed without asking: the tests that need it are skipped." >&2
    echo "      To run them: $2" >&2
}

has_postgres || install postgresql || true
has_postgres || explain PostgreSQL "install PostgreSQL 13 or newer (apt-get install postgresql)"
has_chromium || install chromium fonts-liberation || true
has_chromium || explain Chromium "install Chromium or Chrome, or set CHROMIUM to its path"
