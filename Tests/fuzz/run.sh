#!/bin/sh
# Fuzzes for a number of seconds, with the release configuration of the core under
# AddressSanitizer: "parse", the JSON reader and writer, "profile", the reader of
# profile files, or "queue", calls to queues beside a network that the input directs.
# New findings of coverage go to .build/fuzz/TARGET.corpus; a crash is written
# to .build/fuzz and ends the run.
#
#     sh Tests/fuzz/run.sh [SECONDS [TARGET]]
set -eu
cd "$(dirname "$0")/../.."
seconds=${1:-600}
target=${2:-parse}
build=.build/fuzz
mkdir -p "$build/$target.corpus"
# swiftc comes with its own clang, which knows the sanitizers' runtime.
clang=$(dirname "$(readlink -f "$(command -v swiftc)")")/clang

find Sources/Prefop -name '*.swift' -print0 | xargs -0 swiftc \
  -wmo -parse-as-library -emit-object -O -g -module-name Prefop \
  -swift-version 6 -strict-memory-safety -no-allocations \
  -enable-experimental-feature Embedded -enable-experimental-feature Lifetimes \
  -sanitize=address,fuzzer \
  -I include -I Sources/CLibcurl -I Sources/CCrypto -I Sources/CPlatform/include \
  -o "$build/prefop.o"
# What a target needs besides its own file is in a folder of its name.
sources=$(find Tests/fuzz -path "Tests/fuzz/$target.c" -o -path "Tests/fuzz/$target/*.c")
# shellcheck disable=SC2086
"$clang" -g -O1 -Wall -Wextra -Werror -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined \
  -I include -I Sources/CPlatform/include \
  $sources Sources/CPlatform/process.c "$build/prefop.o" -lcurl -lcrypto -o "$build/$target"

# The first inputs: the sample tasks, files that are right and that are wrong, programs.
python3 - "$target" "$build/$target.corpus" <<'PYTHON'
import json, pathlib, sys
target, folder = sys.argv[1], pathlib.Path(sys.argv[2])
if target == "parse":
    samples = [task["body"] for task in json.loads(pathlib.Path("Tests/vectors/tasks.json").read_text())]
elif target == "queue":
    lines = pathlib.Path("Tests/fuzz/queue.seeds").read_text().splitlines()
    samples = [line for line in lines if not line.startswith("#")]
else:
    sys.path[:0] = ["Tests/abi"]
    from toml_cases import RIGHT, WRONG
    pair = "default = {access_key = 'a', secret_key = \"b\", bucket_url = ['c', 'd:80']}\n"
    samples = [pair + lines for _, lines, *_ in [*RIGHT, *WRONG]]
for number, sample in enumerate(samples):
    (folder / f"sample-{number}").write_bytes(sample.encode())
PYTHON
# Short programs say little: they are not to be tried first.
length=$([ "$target" = queue ] && echo 0 || echo 100)
exec "$build/$target" -max_total_time="$seconds" -max_len=4096 -len_control="$length" -timeout=5 \
  -dict="Tests/fuzz/$target.txt" \
  -artifact_prefix="$build/" -print_final_stats=1 "$build/$target.corpus"
