#!/usr/bin/env bash
# Makes a Wine prefix in OUT, once, and puts the library into it.
set -euo pipefail
. "$(dirname "$0")/tools.sh"
use_wine
if [ ! -f "$WINEPREFIX/system.reg" ]; then
    WINEDLLOVERRIDES='' timeout 600 "$wine" wineboot -u
    timeout 120 "$(dirname "$(readlink -f "$wine")")/wineserver" -w
fi
cp "$OUT/lib/x86_64-windows/winhvplatform.dll" "$WINEPREFIX/drive_c/windows/system32/"

# A server that runs outside cannot be used inside another machine.
wineserver -k -w 2>/dev/null || true
