#!/usr/bin/env bash
# Looks at every file we write and changes none: Swift's style, the syntax of shell and Python. Reports all, then
# fails if anything was found.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/common.sh

found=0
mapfile -t swift_files < <(scripts/sources.sh swift)
mapfile -t shell_files < <(scripts/sources.sh shell)
mapfile -t python_files < <(scripts/sources.sh python)

((${#swift_files[@]} > 0)) || fail 2 "git lists no Swift file here; is this a clone of the repository?"
say "swift format lint: ${#swift_files[@]} files"
swift format lint --strict --parallel "${swift_files[@]}" </dev/null || found=1

say "shell syntax: ${#shell_files[@]} files"
for file in "${shell_files[@]}"; do
  bash -n "$file" || found=1
done

say "Python syntax: ${#python_files[@]} files"
if ((${#python_files[@]} > 0)); then
  cache=$(mktemp -d) # no __pycache__ beside the sources
  trap 'rm -rf "$cache"' EXIT
  PYTHONPYCACHEPREFIX="$cache" python3 -m py_compile "${python_files[@]}" || found=1
fi

((found == 0)) || fail 1 "lint found something; 'make format' mends layout."
say "nothing found"
