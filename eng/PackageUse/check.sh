#!/usr/bin/env bash
# Packs the libraries into a local feed and uses the package `Hyperlight` from projects outside the repository: a console
# application and a web application, each as it is and compiled ahead of time, and tests with mocks, without a warning. Keeps
# the packages in the directory that is given, if one is.
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD
version=0.0.0-check.$(date +%s)
out=$(mktemp -d)
server=
cleanup() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    rm -rf "$out" "${NUGET_PACKAGES:-$HOME/.nuget/packages}"/hyperlight*/"$version"
}
trap cleanup EXIT
feed=${1:-$out/feed}
guest=$root/guests/prebuilt/hello.elf

fail() {
    echo "FAILED: $1"
    exit 1
}

echo "== packages"
dotnet pack Hyperlight.slnx -c Release -v quiet --nologo -p:Version="$version" -o "$feed"
for package in "$feed"/*."$version".nupkg; do
    name=$(basename "$package" ".$version.nupkg")
    unzip -p "$package" "$name.nuspec" >"$out/nuspec"
    for element in description tags icon readme releaseNotes license; do
        grep -q "<$element" "$out/nuspec" || fail "$name has no <$element>"
    done
    if grep -oE 'id="Microsoft\.Extensions[^"]*" version="[^"]*"' "$out/nuspec" | grep -vE '"10\.0\.0"|^id="Microsoft\.Extensions\.AI\.'; then
        fail "$name needs more than Microsoft.Extensions 10.0.0"
    fi
    [ "$name" = Hyperlight.Emulator ] || ! grep -q 'id="Iced"' "$out/nuspec" || fail "$name depends on Iced"
    documentation=$(unzip -p "$package" "lib/net10.0/$name.xml" 2>/dev/null || true)
    internal='name="T:[^"]*\.(Interop|Wire|Protocol|Execution|Cpu|Compilation|Decoding)\.'
    ! grep -qE "$internal" <<<"$documentation" || fail "the documentation of $name has internal types"
    unzip -p "$package" README.md | grep -qE '\]\((docs|samples|guests|[A-Z]+\.md)' && fail "the README of $name has relative links"
    echo "$name: $(grep -c '<member ' <<<"$documentation" || true) documented members, $(stat -c %s "$package") bytes"
done
unzip -l "$feed/Hyperlight.$version.nupkg" | grep -q '\.dll' && fail "the package Hyperlight has an assembly"
grep -q 'id="Hyperlight.Host"' <(unzip -p "$feed/Hyperlight.$version.nupkg" Hyperlight.nuspec) || fail "the package Hyperlight brings no Host"

cp -r eng/PackageUse/Console eng/PackageUse/Web eng/PackageUse/Mocks "$out/"
cat >"$out/nuget.config" <<EOF
<configuration>
  <packageSources>
    <add key="local" value="$(realpath "$feed")" />
  </packageSources>
</configuration>
EOF
export HyperlightVersion=$version

hello() { # command...
    local answer
    answer=$("$@") || fail "$*"
    echo "$answer"
    [ "$answer" = "Hello, package! Today is Monday." ] || fail "$*"
}

web() { # command...
    local log=$out/log address='' answer
    "$@" --urls http://127.0.0.1:0 --Guest "$guest" >"$log" 2>&1 &
    server=$!
    for _ in $(seq 300); do
        address=$(sed -nE 's/.*Now listening on: (http:[^ ]+).*/\1/p' "$log" | head -n 1)
        [ -z "$address" ] || break
        sleep 0.2
    done
    answer=$(curl -fsS "$address/hello/package") || { cat "$log"; fail "$*"; }
    kill "$server"
    wait "$server" 2>/dev/null || true
    server=
    echo "$answer"
    [ "$answer" = "Hello, package! Today is Monday." ] || fail "$*"

    # A wrong value ends the start, and is named.
    ! "$@" --urls http://127.0.0.1:0 --Guest "$guest" --Hyperlight:Configuration:HeapSize '1 MB' >"$log" 2>&1 || fail "a wrong value was taken"
    grep -oE "Hyperlight:Configuration:HeapSize is '1 MB'[^;]*" "$log" | head -n 1 || { cat "$log"; fail "a wrong value was not named"; }
}

echo "== console application"
dotnet build "$out/Console" -c Release -v quiet --nologo -o "$out/console"
hello dotnet "$out/console/Console.dll" "$guest"
echo "== web application"
dotnet build "$out/Web" -c Release -v quiet --nologo -o "$out/web"
web dotnet "$out/web/Web.dll" --contentRoot "$out/web"

echo "== tests with mocks"
dotnet test "$out/Mocks" --nologo

if ! command -v cc >/dev/null; then
    echo "== ahead of time: skipped, there is no C toolchain to link with"
    exit 0
fi
echo "== console application, ahead of time"
dotnet publish "$out/Console" -c Release --ucr -p:PublishAot=true -v quiet --nologo -o "$out/console-aot"
hello "$out/console-aot/Console" "$guest"
echo "== web application, ahead of time"
dotnet publish "$out/Web" -c Release --ucr -p:PublishAot=true -v quiet --nologo -o "$out/web-aot"
web "$out/web-aot/Web" --contentRoot "$out/web-aot"
echo "the packages work"
