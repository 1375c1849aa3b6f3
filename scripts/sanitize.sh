#!/usr/bin/env bash
# The Swift tests under a sanitizer: scripts/sanitize.sh address|thread. `make test-asan` and `make test-tsan` call this.
# Each has a build folder of its own (.build-asan, .build-tsan), so that the ordinary one stays as it is.
#
#   FILTER=LineArbiter   only the tests whose name matches
#   KABUTO_SEED=7f3a     repeats a randomised run; not given, it is 7f3a
#   SECONDS_A_FUZZ=5     how long each fuzz test goes on
#
# What is suppressed is not ours: leaks.supp and races.supp say what and why.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/common.sh

kind=${1-}
case $kind in
  address)
    scratch=.build-asan
    # Leaks are looked for too, at the end of the process.
    export ASAN_OPTIONS="detect_leaks=1:detect_stack_use_after_return=0:abort_on_error=0"
    export LSAN_OPTIONS="suppressions=$PWD/scripts/leaks.supp:print_suppressions=0"
    ;;
  thread)
    scratch=.build-tsan
    export TSAN_OPTIONS="suppressions=$PWD/scripts/races.supp:halt_on_error=0:exitcode=66:history_size=4"
    ;;
  *) fail 64 "scripts/sanitize.sh: \"$kind\" found, wanted address or thread" ;;
esac
export KABUTO_FUZZ_SECONDS=${SECONDS_A_FUZZ:-5}
# Told to tests that can't be under a sanitizer: each says why.
export KABUTO_SANITIZER=$kind
repeatable_seed fixed

say "building under the $kind sanitizer into $scratch (the first time takes some minutes)"
swift build --build-tests --sanitize="$kind" --scratch-path "$scratch" </dev/null
arguments=(--skip-build --sanitize="$kind" --scratch-path "$scratch")
[[ -z ${FILTER-} ]] || arguments+=(--filter "$FILTER")
swift test "${arguments[@]}" </dev/null || fail 1 "the tests fail under the $kind sanitizer (${SECONDS} s)"
say "clean under the $kind sanitizer (${SECONDS} s)"
