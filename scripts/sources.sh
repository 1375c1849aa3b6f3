#!/usr/bin/env bash
# Prints the paths of our own sources of one kind, one a line: those git knows and those that are new but not
# ignored, so that built and downloaded files stay out.
#
#   scripts/sources.sh swift|shell|python
set -euo pipefail
cd "$(dirname "$0")/.."

case ${1-} in
  swift) patterns=('*.swift') ;;
  shell) patterns=('*.sh' '.ci/run') ;;
  python) patterns=('*.py') ;;
  *)
    echo "usage: scripts/sources.sh swift|shell|python" >&2
    exit 64
    ;;
esac
git ls-files --cached --others --exclude-standard -- "${patterns[@]}" | sort -u | while IFS= read -r path; do
  [[ ! -f $path ]] || printf '%s\n' "$path" # git lists a deleted file until the deletion is committed
done
