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

# repeatable_seed fixed|fresh: sets KABUTO_SEED (hexadecimal), where it isn't given, and says it. "fixed": always the same
# one, so that a change fails for what it changed and not for what was drawn; new ones are tried by `make fuzz`.
repeatable_seed() {
  if [[ -z ${KABUTO_SEED-} ]]; then
    case $1 in
      fixed) KABUTO_SEED=7f3a ;;
      *) KABUTO_SEED=$(od -An -N4 -tx4 /dev/urandom | tr -d ' ') ;;
    esac
  fi
  export KABUTO_SEED
  say "KABUTO_SEED=$KABUTO_SEED repeats what is drawn by chance"
}
