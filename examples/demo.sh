#!/bin/sh
# Shows the library at work without an account: a C and a Python program ask the
# stub API server of the tests, over TLS, what became of four tasks. Fails if
# one of them ends otherwise than expected.
#
#     sh examples/demo.sh [LIBRARY]        (`make demo` builds it and does this)
set -eu
cd "$(dirname "$0")/.."

if [ "${1-}" != --inside ]; then
  library=$(realpath "${1:-.build/release/libprefop.so}")
  exec python3 -B Tests/server --tls -- sh examples/demo.sh --inside "$library"
fi

library=$2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# The program looks for the library by the name that is written into it.
ln -s "$library" "$folder/libprefop.so.1"
${CC:-cc} -std=c11 -Wall -Wextra -Iinclude examples/c/status.c -o "$folder/status" \
  "$folder/libprefop.so.1" -Wl,-rpath,"$folder"

# The stub's address and authority; it put its own keys into the environment.
export PREFOP_API_HOSTS="$PREFOP_TEST_HTTPS" PREFOP_CA_FILE="$PREFOP_TEST_CA"
export PREFOP_LIBRARY="$library"
export no_proxy=localhost # whatever proxy this machine is told to use

# show HEADING EXPECTED-EXIT-STATUS PROGRAM ARGUMENT...
show() {
  printf '\n=== %s\n' "$1"
  expected=$2
  shift 2
  outcome=0
  "$@" 2>&1 || outcome=$?
  printf -- '--- exit status %s\n' "$outcome"
  if [ "$outcome" -ne "$expected" ]; then
    echo "demo: expected exit status $expected" >&2
    exit 1
  fi
}

ask_all() {
  language=$1
  shift
  show "$language: a finished task" 0 "$@" z0.finished
  show "$language: a running task" 1 "$@" z0.running
  show "$language: a failed task" 1 "$@" z0.failed
  show "$language: an unknown task" 2 "$@" z0.no-such-task
}

ask_all C "$folder/status"
ask_all Python python3 -B examples/python/status.py

cat <<'END'

The same against the real service, with your keys and the id that pfop returned:

    export QINIU_ACCESS_KEY=... QINIU_SECRET_KEY=...
    PREFOP_LIBRARY=.build/release/libprefop.so python3 examples/python/status.py ID

    cc examples/c/status.c -Iinclude .build/release/libprefop.so \
      -Wl,-rpath,"$PWD/.build/release" -o /tmp/status && /tmp/status ID
END
