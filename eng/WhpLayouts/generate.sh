#!/usr/bin/env bash
# Usage: generate.sh. Writes layouts.txt anew; README.md says what it needs.
set -euo pipefail
cd "$(dirname "$0")"
"${CC:-x86_64-w64-mingw32-gcc}" -O2 -w -S -o - layouts.c | sed -n 's/^#layout \(.*\) \$\?\(-\?[0-9]*\)$/\1 \2/p' > layouts.txt
