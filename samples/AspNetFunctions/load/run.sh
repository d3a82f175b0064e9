#!/usr/bin/env bash
# The service under load, with guests that misbehave and clients that leave. Needs wrk and curl.
# Usage: samples/AspNetFunctions/load/run.sh [SECONDS] [DRIVER]
set -euo pipefail
cd "$(dirname "$0")/../../.."
seconds=${1:-120} driver=${2:-emulator} primes=${PRIMES:-10000}
dotnet build samples/AspNetFunctions -c Release -v quiet -nologo >/dev/null
log=$(mktemp)
env ASPNETCORE_URLS=http://127.0.0.1:0 Hyperlight__Hypervisor=$driver Functions__RequestsPerSecond=1000000 Functions__Comparison=true \
    Functions__WaitTimeout=00:00:30 Logging__LogLevel__Default=Warning Logging__LogLevel__Hyperlight=None \
    Logging__LogLevel__Microsoft.Hosting.Lifetime=Information \
    dotnet samples/AspNetFunctions/bin/Release/net10.0/AspNetFunctions.dll >"$log" 2>&1 &
server=$!
trap 'kill $server 2>/dev/null; wait $server 2>/dev/null || true; rm -f "$log" "$log".*' EXIT
for _ in $(seq 100); do
    url=$(sed -nE 's/.*Now listening on: (http:[^ ]+).*/\1/p' "$log" | head -n 1)
    [ -z "$url" ] || break
    sleep 0.2
done
[ -n "$url" ] || { cat "$log"; exit 1; }

resources() { # what the service holds
    printf '%-8s resident %d MiB, threads %d, descriptors %d, mappings %d\n' "$1" \
        "$(($(awk '/VmRSS/ { print $2 }' /proc/$server/status) / 1024))" "$(awk '/Threads/ { print $2 }' /proc/$server/status)" \
        "$(ls /proc/$server/fd | wc -l)" "$(wc -l </proc/$server/maps)"
}

percentile() { sort -n | awk -v p="$1" '{ a[NR] = $1 } END { i = int(NR * p / 100); print a[i < 1 ? 1 : i] * 1000 }'; }

bench() { # name, path, body
    local script=""
    [ -z "${3:-}" ] || script="wrk.method = 'POST'; wrk.body = '$3'; wrk.headers['Content-Type'] = 'application/json'"
    echo "$script" >"$log.lua"
    printf '%-34s' "$1"
    wrk -t 2 -c 8 -d "${BENCH:-10}" --latency -s "$log.lua" "$url$2" |
        awk '/50%/ { p50 = $2 } /99%/ { p99 = $2 } /Requests\/sec/ { rate = $2 } /Non-2xx/ { failed = $NF } END { printf "%s requests a second, p50 %s, p99 %s, failed %d\n", rate, p50, p99, failed }'
}

echo "driver $driver, the primes below $primes:"
bench "in a sandbox" /guests/functions/functions/CountPrimes "{\"arguments\":[$primes]}"
bench "in this process, not isolated" /comparison/plain/$primes
bench "in a child process for each request" /comparison/process/$primes

echo "the mix, $seconds seconds:"
resources before
# Clients that leave: about one call in a hundred.
(while kill -0 $server 2>/dev/null; do
    curl -s -o /dev/null --max-time 0.05 -d '{"arguments":[]}' "$url/guests/functions/functions/Spin" || true
    sleep 0.05
done) &
clients=$!
# Another endpoint of the service.
(while kill -0 $server 2>/dev/null; do
    curl -s -o /dev/null -w '%{time_total}\n' "$url/guests" >>"$log.times" || true
    sleep 0.1
done) &
probe=$!
(while sleep $(((seconds + 3) / 4)); do resources after; done) &
watch=$!
wrk -t 2 -c 32 -d "$seconds" --latency -s samples/AspNetFunctions/load/mix.lua "$url" | grep -E "^(right|p50|WRONG)|Socket errors" || true
kill $clients $probe $watch 2>/dev/null || true
echo "another endpoint: p50 $(percentile 50 <"$log.times") ms, p99 $(percentile 99 <"$log.times") ms, $(wc -l <"$log.times") requests"
sleep 2
resources at_end
