#!/usr/bin/env bash
# Usage: generate.sh. Writes layouts.txt anew; README.md says what it needs.
set -euo pipefail
cd "$(dirname "$0")"
"${CC:-x86_64-w64-mingw32-gcc}" -O2 -w -S -o - layouts.c \
    | awk '$1 == "#layout" { $NF = sprintf("%.0f", $NF < 0 ? $NF + 4294967296 : $NF); $1 = ""; print substr($0, 2) }' > layouts.txt
