#!/usr/bin/env bash
# Builds into OUT: the library, the check of it, the sample and the tests.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/tools.sh"
"$here/winhvplatform/build.sh" "$OUT/lib"
x86_64-w64-mingw32-gcc -O2 -Wall -o "$OUT/check.exe" "$here/check/check.c"
cd "$here/../.."
cp "$surrogate" "$OUT/surrogate.exe"

publish() { dotnet publish "$1" -c Release -r win-x64 --self-contained -v quiet -nologo -o "$OUT/$2" "${@:3}"; }
publish samples/HelloWorld hello

# .NET ends with an internal error on Wine when it frees methods that were generated at run time, as reflection does for tests.
publish Hyperlight.Tests tests -p:DynamicCodeSupport=false
