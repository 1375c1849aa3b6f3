# Shared by the scripts here: one voice for progress, warnings and errors. Sourced, not run.
# Progress goes to standard error, so that a script's standard output stays clean.

say() { printf '==> %s\n' "$*" >&2; }
warn() { printf 'warning: %s\n' "$*" >&2; }

# fail CODE MESSAGE…: each message on its own line, then the end.
fail() {
  local code=$1
  shift
  printf 'error: %s\n' "$1" >&2
  shift
  (($# == 0)) || printf '  %s\n' "$@" >&2
  exit "$code"
}

# repeatable_seed commit|fresh: sets KABUTO_SEED (hexadecimal), where it isn't given, and says it. "commit": from the hash
# of the commit that is checked out, so that a commit's tests repeat exactly; a fixed one without git.
repeatable_seed() {
  if [[ -z ${KABUTO_SEED-} ]]; then
    case $1 in
      commit) KABUTO_SEED=$(git rev-parse --verify --quiet HEAD 2>/dev/null | cut -c1-8) || true ;;
      *) KABUTO_SEED=$(od -An -N4 -tx4 /dev/urandom | tr -d ' ') ;;
    esac
    KABUTO_SEED=${KABUTO_SEED:-7f3a}
  fi
  export KABUTO_SEED
  say "KABUTO_SEED=$KABUTO_SEED repeats what is drawn by chance"
}
