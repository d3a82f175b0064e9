#!/usr/bin/env bash
# One part of what runs on Wine.
set -uo pipefail
. "$(dirname "$0")/tools.sh"
use_wine
case "$1" in
    check) "$wine" "$OUT/check.exe" "Z:${OUT//\//\\}\\surrogate.exe" ;;
    hello)
        cd "$OUT/hello" || exit 1
        output=$("$wine" HelloWorld.exe)
        status=$?
        echo "$output"
        [ $status -eq 0 ] && [[ $output == *'driver: whp'* ]]
        ;;
    windows) "$wine" "$OUT/tests/Hyperlight.Tests.exe" run Hyperlight.Tests.Whp.WindowsKernelTests . ;;
    *) "$wine" "$OUT/tests/Hyperlight.Tests.exe" run Hyperlight.Tests.Integration "$1" ;;
esac
