#!/usr/bin/env bash
# Runs the Windows build of the section views on Wine; says so and succeeds where there is no Wine.
set -euo pipefail
cd "$(dirname "$0")"
wine=$(command -v wine64 || ls /usr/lib/wine/wine64 2>/dev/null || true)
if [ -z "$wine" ]; then
    echo "skipped: Wine (package wine64) is not installed"
    exit 0
fi
out=$(mktemp -d)
export WINEPREFIX="$out/prefix" WINEDEBUG=-all DISPLAY=''

# Wine's server writes to the prefix for a while after the program has ended.
trap '"$(dirname "$(readlink -f "$wine")")/wineserver" -k -w 2>/dev/null || sleep 5; rm -rf "$out"' EXIT
dotnet publish SectionViews.csproj -c Release -v quiet -o "$out/app"
timeout 300 "$wine" "$out/app/SectionViews.exe"
