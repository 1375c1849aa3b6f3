#!/usr/bin/env bash
# Every measurement of docs/BENCHMARKS.md: JSON lines and tables, then the plots. `--quick` measures less and draws into the
# results' folder instead of docs/plots; --kabuto PATH another binary; --results FOLDER keeps the JSON lines (else
# .build-bench/results, begun anew); --only NAME,… some of them. Goes on where one fails, and ends with status 1 then.
# The peers need what scripts/bench.sh installs; what isn't there is left out, and said so.
set -euo pipefail
cd "$(dirname "$0")/.."
all=(books startup fanout latency backbone opening storm memory growth hostile firewall firewallscale govern)
kabuto= quick=() results=.build-bench/results chosen=("${all[@]}") keep=no
while (($# > 0)); do
  case $1 in
    --kabuto) kabuto=$2; shift 2 ;;
    --results) results=$2 keep=yes; shift 2 ;;
    --only) IFS=, read -r -a chosen <<<"$2"; shift 2 ;;
    --quick) quick=(--quick); shift ;;
    *) echo "usage: run.sh [--quick] [--kabuto PATH] [--results FOLDER] [--only NAME,…]; names: ${all[*]}" >&2; exit 64 ;;
  esac
done
for name in "${chosen[@]}"; do
  [[ -f Benchmarks/$name.py && " ${all[*]} " == *" $name "* ]] \
    || { echo "run.sh: --only: \"$name\" found, wanted some of ${all[*]}" >&2; exit 64; }
done
if [[ -z $kabuto ]]; then
  swift build -c release --product kabuto
  kabuto=.build/release/kabuto
fi
python=python3
[[ ! -x .venv-bench/bin/python ]] || python=.venv-bench/bin/python
[[ $keep == yes ]] || rm -rf "$results"
mkdir -p "$results"

failed=()
for name in "${chosen[@]}"; do
  echo "== $name"
  "$python" "Benchmarks/$name.py" --kabuto "$kabuto" --results "$results" ${quick[@]+"${quick[@]}"} || failed+=("$name")
done
plots=docs/plots
((${#quick[@]} == 0)) || plots=$results/plots
if "$python" -c 'import matplotlib' 2>/dev/null; then
  echo "== plots"
  "$python" Benchmarks/plots.py --results "$results" --out "$plots" || failed+=(plots)
else
  echo "run.sh: matplotlib is not installed, no plots" >&2
fi
((${#failed[@]} == 0)) || { echo "run.sh: failed: ${failed[*]}" >&2; exit 1; }
