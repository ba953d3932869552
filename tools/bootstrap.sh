#!/bin/sh
# Finds a Python that can make virtual environments, and lets it install the pinned packages into .venv.
# usage: tools/bootstrap.sh requirements.txt|requirements-dev.txt
set -eu
cd "$(dirname "$0")/.."
unset PYTHONHOME PYTHONPATH

lacking="no Python found"
for name in python3.13 python3.12 python3.11 python3 python; do
    # try it rather than look it up: version managers put commands on the path that only say that they are missing
    if ! "$name" -c "" 2>/dev/null; then
        continue
    elif ! "$name" -c "import sys; sys.exit(sys.version_info < (3, 11))" 2>/dev/null; then
        lacking="$("$name" -V 2>&1) is too old"
    elif ! "$name" -c "import venv, ensurepip" 2>/dev/null; then
        lacking="$("$name" -V 2>&1) cannot make virtual environments (on Debian and Ubuntu: apt-get install python3-venv)"
    else
        exec "$name" tools/bootstrap.py "$1"
    fi
done
echo "shop: Python 3.11 or later is needed: $lacking" >&2
exit 1
