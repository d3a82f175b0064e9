#!/usr/bin/env bash
# Usage: build.sh DIRECTORY. Builds the library as a built-in of Wine: DIRECTORY is then what WINEDLLPATH needs.
set -euo pipefail
directory=${1:?a directory}
mkdir -p "$directory/x86_64-unix" "$directory/x86_64-windows"
directory=$(realpath "$directory")
cd "$(dirname "$0")"
winegcc -m64 -shared -O2 -Wall -Werror -o "$directory/x86_64-unix/winhvplatform.dll.so" *.c winhvplatform.spec \
    -idirafter "${MINGW_INCLUDE:-/usr/share/mingw-w64/include}" -lkernel32
winebuild -m64 --dll --fake-module -E winhvplatform.spec -o "$directory/x86_64-windows/winhvplatform.dll"
