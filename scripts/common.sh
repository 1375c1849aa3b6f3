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
