#!/usr/bin/env bash
# Writes the documents that are generated: docs/CLI.md, from the command's own help. `make docs` builds it first.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/common.sh

binary=${1:-.build/release/kabuto}
[[ -x $binary ]] || fail 2 "$binary is missing." "Build it first: make build"
python3 scripts/cli_reference.py "$binary" >docs/CLI.md.part
mv docs/CLI.md.part docs/CLI.md
say "wrote docs/CLI.md"
