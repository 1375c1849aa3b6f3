#!/usr/bin/env bash
# All tests: Swift, then browser. Runs both even if the first fails, so that one run tells everything; the exit
# status is 0 only if all passed. Needs no terminal. `make test` calls this after the set-up.
#
#   FILTER=SiteLoss      only the Swift tests whose name matches (no browser tests)
#   KABUTO_SEED=7f3a     repeats a randomised run: a failing test prints the line to type
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/common.sh

failed=()
browser=Tests/Browser

prepare_browser_tests() {
  local wanted="$browser/requirements.txt" stamp=.venv/.requirements
  if ! .venv/bin/python -c '' 2>/dev/null; then
    say "making .venv for the browser tests"
    python3 -m venv --clear .venv
  fi
  if ! cmp --silent "$wanted" "$stamp"; then
    say "installing $wanted into .venv"
    .venv/bin/python -m pip --disable-pip-version-check --quiet install --requirement "$wanted" </dev/null \
      || fail 2 "the browser tests' packages could not be installed into .venv." \
        "Is PyPI reachable? Only the Swift tests: make test FILTER=."
    cp "$wanted" "$stamp"
  fi
}

with_browser=no
if [[ -n ${FILTER-} ]]; then
  say "FILTER=$FILTER: browser tests are left out"
elif ! compgen -G "$browser/test*.py" >/dev/null; then
  warn "$browser holds no test*.py: there are no browser tests to run"
else
  with_browser=yes
  prepare_browser_tests
fi

say "building with tests (the first time takes some minutes)"
swift build --build-tests </dev/null

arguments=(--skip-build)
[[ -z ${FILTER-} ]] || arguments+=(--filter "$FILTER")
say "swift test${FILTER:+ --filter $FILTER}${KABUTO_SEED:+ with KABUTO_SEED=$KABUTO_SEED}"
swift test "${arguments[@]}" </dev/null || failed+=("Swift tests")

if [[ $with_browser == yes ]]; then
  say "browser tests"
  KABUTO_BIN="$PWD/.build/debug/kabuto" .venv/bin/python -m unittest discover -s "$browser" -v </dev/null \
    || failed+=("browser tests")
fi

if ((${#failed[@]} > 0)); then
  printf -v list '%s, ' "${failed[@]}"
  fail 1 "failed: ${list%, } (${SECONDS} s)"
fi
if [[ $with_browser == yes ]]; then
  say "all tests passed (${SECONDS} s)"
else
  say "all Swift tests${FILTER:+ matching $FILTER} passed, browser tests not run (${SECONDS} s)"
fi
