#!/bin/sh
# Fuzzes the JSON reader and writer for a number of seconds, with the release
# configuration of the core under AddressSanitizer. New findings of coverage go
# to .build/fuzz/corpus; a crash is written to .build/fuzz and ends the run.
#
#     sh Tests/fuzz/run.sh [SECONDS]
set -eu
cd "$(dirname "$0")/../.."
seconds=${1:-600}
build=.build/fuzz
mkdir -p "$build/corpus"
# swiftc comes with its own clang, which knows the sanitizers' runtime.
clang=$(dirname "$(readlink -f "$(command -v swiftc)")")/clang

find Sources/Prefop -name '*.swift' -print0 | xargs -0 swiftc \
  -wmo -parse-as-library -emit-object -O -g -module-name Prefop \
  -swift-version 6 -strict-memory-safety -no-allocations \
  -enable-experimental-feature Embedded -enable-experimental-feature Lifetimes \
  -sanitize=address,fuzzer \
  -I include -I Sources/CLibcurl -I Sources/CCrypto -I Sources/CPlatform/include \
  -o "$build/prefop.o"
"$clang" -g -O1 -Wall -Wextra -Werror -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined \
  -I include -I Sources/CPlatform/include \
  Tests/fuzz/parse.c Sources/CPlatform/process.c "$build/prefop.o" -lcurl -lcrypto -o "$build/parse"

# The first documents: the sample tasks.
python3 - "$build/corpus" <<'PYTHON'
import json, pathlib, sys
for number, task in enumerate(json.loads(pathlib.Path("Tests/vectors/tasks.json").read_text())):
    pathlib.Path(sys.argv[1], f"sample-{number}").write_text(task["body"])
PYTHON
exec "$build/parse" -max_total_time="$seconds" -max_len=4096 -timeout=5 -dict=Tests/fuzz/dictionary.txt \
  -artifact_prefix="$build/" -print_final_stats=1 "$build/corpus"
