#!/usr/bin/env bash
# The figures of docs/BENCHMARKS.md: a JSON line each and tables. `--quick` measures less; --kabuto PATH another binary.
# The peers need what scripts/bench.sh installs; what isn't there is left out, and said so.
set -euo pipefail
cd "$(dirname "$0")/.."
kabuto= quick=()
while (($# > 0)); do
  case $1 in
    --kabuto) kabuto=$2; shift 2 ;;
    --quick) quick=(--quick); shift ;;
    *) echo "usage: run.sh [--quick] [--kabuto PATH]" >&2; exit 64 ;;
  esac
done
if [[ -z $kabuto ]]; then
  swift build -c release --product kabuto
  kabuto=.build/release/kabuto
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python=python3
[[ ! -x .venv-bench/bin/python ]] || python=.venv-bench/bin/python

echo "== plant: simulated day, 400 instruments, 2.4 million messages"
"$kabuto" simulate --out "$work/day.itch" --seed 1 --instruments 400 --messages 2400000 >&2
for _ in 1 2 3 4 5; do "$kabuto" digest --json "$work/day.itch"; done | "$python" Benchmarks/median.py
real=${KABUTO_TESTDATA:-../shared/data}/itch/goog-2012-06-21.itch.gz
if [[ -f $real ]]; then
  echo "== plant: a real day of one instrument"
  gzip -dc "$real" >"$work/real.itch"
  for _ in 1 2 3 4 5; do "$kabuto" digest --json "$work/real.itch"; done | "$python" Benchmarks/median.py
fi
echo "== start-up"
"$python" Benchmarks/startup.py "$kabuto"
for name in fanout; do
  echo "== $name"
  "$python" "Benchmarks/$name.py" --kabuto "$kabuto" "${quick[@]}"
done
