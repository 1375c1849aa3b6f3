#!/usr/bin/env bash
# All tests: Swift, then the server from outside, then the browser. Runs all even if one fails, so that one run tells everything; the exit
# status is 0 only if all passed. Needs no terminal. `make test` calls this after the set-up.
#
#   FILTER=SiteLoss      only the Swift tests whose name matches (no server and browser tests)
#   KABUTO_SEED=7f3a     repeats a randomised run: a failing test prints the line to type. Not given, it is 7f3a,
#                        or drawn afresh with KABUTO_FULL=1
#   KABUTO_FULL=1        all of what is only sampled otherwise, and the firewall against sqlmap and libmodsecurity where
#                        their Debian packages are installed (`make test-full`)
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/common.sh

failed=()
log=$(mktemp)
beside=
# Whatever ends this script ends what runs beside it.
trap '[[ -z $beside ]] || kill "$beside" 2>/dev/null; rm -f "$log"' EXIT

# A suite in Python that drives the built program.
discover() {
  KABUTO_BIN="$PWD/.build/debug/kabuto" .venv/bin/python -m unittest discover -s "$1" -p "$2" -v </dev/null
}

prepare_python() {
  local wanted stamp=.venv/.requirements
  wanted=$(cat Tests/*/requirements.txt)
  if ! .venv/bin/python -c '' 2>/dev/null; then
    say "making .venv for the server and browser tests"
    python3 -m venv --clear .venv
  fi
  if [[ $wanted != "$(cat "$stamp" 2>/dev/null)" ]]; then
    say "installing Tests/*/requirements.txt into .venv"
    local list=()
    for file in Tests/*/requirements.txt; do list+=(--requirement "$file"); done
    .venv/bin/python -m pip --disable-pip-version-check --quiet install "${list[@]}" </dev/null \
      || fail 2 "the packages of the server and browser tests could not be installed into .venv." \
        "Is PyPI reachable? Only the Swift tests: make test FILTER=."
    printf '%s\n' "$wanted" >"$stamp"
  fi
}

if [[ ${KABUTO_FULL-} == 1 ]]; then repeatable_seed fresh; else repeatable_seed fixed; fi

with_python=no
if [[ -n ${FILTER-} ]]; then
  say "FILTER=$FILTER: server and browser tests are left out"
else
  with_python=yes
  prepare_python
fi

say "building with tests (the first time takes some minutes)"
swift build --build-tests </dev/null

# One after the other: the laboratory and the message servers start programs of their own, some of which go before all
# else; beside them, and beside tests that compute for a minute without a pause, tests with time-outs would starve on two
# processors.
if [[ -n ${FILTER-} ]]; then
  groups=("--filter=$FILTER")
else
  groups=(
    '--skip=^(BackboneTests|LabTests|GatewayTests|FirewallProxyTests|FeedHandlerTests|AccountsTests)\.'
    '--filter=^(GatewayTests|FirewallProxyTests|FeedHandlerTests)\.' '--filter=^AccountsTests\.'
    '--filter=^BackboneTests\.' '--filter=^LabTests\.'
  )
fi
for group in "${groups[@]}"; do
  say "swift test $group with KABUTO_SEED=$KABUTO_SEED (after ${SECONDS} s)"
  swift test --skip-build "${group%%=*}" "${group#*=}" </dev/null || failed+=("Swift tests ($group)")
done

if [[ $with_python == yes ]]; then
  # They wait for processes more than they compute: in two halves, side by side.
  say "Tests/Server (a second half runs beside, and is told at the end: test_govern*, test_life, test_lines)"
  discover Tests/Server 'test_[gl]*.py' >"$log" 2>&1 &
  beside=$!
  discover Tests/Server 'test_[!gl]*.py' || failed+=("Tests/Server")
  wait "$beside" || failed+=("Tests/Server (second half)")
  beside=
  cat "$log"
  say "Tests/Browser"
  discover Tests/Browser 'test_*.py' || failed+=("Tests/Browser")
fi

# The firewall against an attacker's tool, and beside the engine that it is to equal.
if [[ ${KABUTO_FULL-} == 1 && $with_python == yes ]]; then
  has() { [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]; }
  say "building the release binary"
  swift build -c release --product kabuto </dev/null
  for tool in sqlmap:sqlmap,libnginx-mod-http-modsecurity,modsecurity-crs differential:libmodsecurity-dev; do
    missing=()
    for package in $(tr , ' ' <<<"${tool#*:}"); do has "$package" || missing+=("$package"); done
    script=Benchmarks/Firewall/${tool%%:*}.py
    if ((${#missing[@]} > 0)); then
      warn "$script is left out; it needs the Debian packages ${missing[*]}"
    else
      say "$script"
      .venv/bin/python "$script" </dev/null || failed+=("$script")
    fi
  done
fi

if ((${#failed[@]} > 0)); then
  printf -v list '%s, ' "${failed[@]}"
  fail 1 "failed: ${list%, } (${SECONDS} s)"
fi
if [[ $with_python == yes ]]; then
  say "all tests passed (${SECONDS} s)"
else
  say "all Swift tests${FILTER:+ matching $FILTER} passed, server and browser tests not run (${SECONDS} s)"
fi
