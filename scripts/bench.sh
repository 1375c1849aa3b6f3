#!/usr/bin/env bash
# Runs the benchmarks and passes its arguments on. What they measure and against whom: docs/BENCHMARKS.md.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/common.sh

[[ -f Benchmarks/run.sh ]] || fail 2 "Benchmarks/run.sh is missing: there is nothing to measure."
exec bash Benchmarks/run.sh "$@"
