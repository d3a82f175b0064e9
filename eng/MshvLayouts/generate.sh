#!/usr/bin/env bash
# Usage: generate.sh HEADERS. Writes layouts.txt anew; README.md says what HEADERS has to contain.
set -euo pipefail
headers=$(realpath "${1:?a directory with the headers}")
cd "$(dirname "$0")"
program=$(mktemp)
trap 'rm -f "$program"' EXIT
"${CC:-gcc}" -w -I"$headers" -o "$program" layouts.c
"$program" > layouts.txt
