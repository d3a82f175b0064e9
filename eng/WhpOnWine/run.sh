#!/usr/bin/env bash
# The Windows build of the WHP driver on Wine, over a WinHvPlatform.dll that uses /dev/kvm. See README.md.
# Usage: run.sh [PART...]    PART: check, hello, windows, or a regular expression of full test names. Default: all.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
repository=$(cd "$here/../.." && pwd)
. "$here/tools.sh"

export OUT=${WHP_ON_WINE_DIRECTORY:-$repository/artifacts/WhpOnWine}
limit=${WHP_ON_WINE_SECONDS:-3000}
mkdir -p "$OUT"
require_tools
choose_machine

build() { "$here/build.sh" >"$OUT/build.log" 2>&1 || { tail -30 "$OUT/build.log"; exit 1; }; }
echo "building into $OUT"
build
"$here/prefix.sh" || exit 1

# The integration suite in parts: each is a process of its own, so that one that ends early takes few tests with it.
parts=("$@")
[ ${#parts[@]} -gt 0 ] || parts=(check hello windows
    'Integration\.[A-E]\w*\(whp[,)]' 'Integration\.[F-L]\w*\(whp[,)]' 'Integration\.M\w*\(whp[,)]' 'Integration\.[N-R]\w*\(whp[,)]'
    'Integration\.Sa\w*\(whp[,)]' 'Integration\.S[b-z]\w*\(whp[,)]' 'Integration\.[T-Z]\w*\(whp[,)]')

failures=0
for i in "${!parts[@]}"; do
    log="$OUT/part-$i.log"
    start=$SECONDS
    on_machine "$limit" "$here/part.sh" "${parts[$i]}" >"$log" 2>&1
    status=$?
    echo "${parts[$i]}: exit code $status, $((SECONDS - start)) s; $(grep -E '^(Passed|Failed):' "$log" | tail -1)"
    if [ $status -ne 0 ]; then
        failures=$((failures + 1))
        grep -E '^FAILED' "$log" || tail -5 "$log"
    fi
done
awk '/^(Passed|Failed): [0-9]/ { passed += $2; failed += $4; skipped += $6 }
    END { printf "tests: %d passed, %d failed, %d skipped\n", passed, failed, skipped }' "$OUT"/part-*.log
exit $((failures > 0))
