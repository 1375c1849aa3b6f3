#!/usr/bin/env bash
# Feeds the parsers what nobody would send: the Swift tests named Fuzz, each for SECONDS_A_FUZZ seconds, with a seed of its
# own each time. `make fuzz` calls this.
#
#   KABUTO_SEED=7f3a     repeats a run
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/common.sh

repeatable_seed fresh
export KABUTO_FUZZ_SECONDS=${SECONDS_A_FUZZ:-60}
exec swift test --filter Fuzz </dev/null
