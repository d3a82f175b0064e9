#!/usr/bin/env bash
# Usage: generate.sh. Writes layouts.txt anew; README.md says what it needs.
set -euo pipefail
cd "$(dirname "$0")"
"${CC:-x86_64-w64-mingw32-gcc}" -O2 -w -S -o - layouts.c | sed -n 's/^#layout //p' | while read -r kind name rest; do
    read -ra words <<< "$rest"
    field=${words[*]:0:${#words[@]}-2}
    printf '%s %s%s %u\n' "$kind" "$name" "${field:+ $field}" $((((words[-2] & 0xFFFFFFFF) << 32) | (words[-1] & 0xFFFFFFFF)))
done > layouts.txt
