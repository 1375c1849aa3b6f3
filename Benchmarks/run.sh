#!/usr/bin/env bash
# First figures (docs/BENCHMARKS.md): messages through the plant, start-up, deliveries to WebSocket clients.
set -euo pipefail
cd "$(dirname "$0")/.."
swift build -c release --product kabuto
kabuto=.build/release/kabuto
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

echo "== plant: simulated day, 400 instruments, 2.4 million messages"
"$kabuto" simulate --out "$work/day.itch" --seed 1 --instruments 400 --messages 2400000 >&2
for _ in 1 2 3 4 5; do "$kabuto" digest --json "$work/day.itch"; done | python3 Benchmarks/median.py
real=${KABUTO_TESTDATA:-../shared/data}/itch/goog-2012-06-21.itch.gz
if [[ -f $real ]]; then
  echo "== plant: a real day of one instrument"
  gzip -dc "$real" >"$work/real.itch"
  for _ in 1 2 3 4 5; do "$kabuto" digest --json "$work/real.itch"; done | python3 Benchmarks/median.py
fi
echo "== start-up"
python3 Benchmarks/startup.py "$kabuto"
ulimit -n 8192 2>/dev/null || true
for clients in 100 1000; do
  for interval in 50 0; do
    echo "== fan-out: $clients clients, 20 of 400 instruments each, interval $interval ms"
    python3 Benchmarks/fanout.py --kabuto "$kabuto" --clients "$clients" --interval "$interval" "$@"
  done
done
