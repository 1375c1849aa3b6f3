#!/usr/bin/env bash
# Runs scenarios of the laboratory one after the other and puts their figures into one table (docs/AVAILABILITY.md).
# Needs root, Debian's frr, nats-server and iproute2 (and faketime for clock-skew). What this machine can't do is left
# out and named. Exit 1 where a client lost something, or got it twice, out of order or wrong.
#
#   scripts/lab.sh [--estate two-sites] [--out kabuto-lab] [--rate 400] [--runs N] [SCENARIO…]
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/common.sh

program=.build/release/kabuto
estate=two-sites
out=kabuto-lab
runs=
# Messages a second: what two processors carry beside the laboratory.
rate=400
names=()
while (($# > 0)); do
  case $1 in
    --help | -h) sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 0 ;;
    --estate | --out | --runs | --rate | --program) (($# > 1)) || fail 64 "$1: a value is missing" ;;&
    --estate) estate=$2; shift 2 ;;
    --out) out=$2; shift 2 ;;
    --runs) runs=$2; shift 2 ;;
    --rate) rate=$2; shift 2 ;;
    --program) program=$2; shift 2 ;;
    -*) fail 64 "$1: unknown; wanted --estate, --out, --program, --rate, --runs or names of scenarios" ;;
    *) names+=("$1"); shift ;;
  esac
done
[[ -x $program ]] || fail 2 "$program is missing." "make build"
if ((${#names[@]} == 0)); then
  mapfile -t names < <("$program" lab list --json 2>/dev/null \
    | python3 -c 'import json,sys; [print(s["scenario"]) for s in json.load(sys.stdin)["scenarios"] if s["available"]]')
  ((${#names[@]} > 0)) || { "$program" lab list >/dev/null; fail 2 "no scenario can run here."; }
fi
root=()
((EUID == 0)) || root=(sudo -n)

worst=0
done_names=()
for name in "${names[@]}"; do
  # What the design wants most repetitions of.
  case $name in
    plant-* | gateway-killed | nats-killed | zone-lost | site-lost | planned-removal) count=20 ;;
    *) count=5 ;;
  esac
  say "$name: ${runs:-$count} runs"
  status=0
  "${root[@]}" "$program" lab run "$name" --estate "$estate" --rate "$rate" --runs "${runs:-$count}" --out "$out" || status=$?
  ((status <= worst)) || worst=$status
  # A run removes what an earlier one left before it begins, so a report is of this one.
  ((status > 1)) || done_names+=("$name")
done
((${#done_names[@]} == 0)) || python3 scripts/lab_table.py "$out" "${done_names[@]}"
exit "$worst"
