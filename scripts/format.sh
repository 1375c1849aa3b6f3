#!/usr/bin/env bash
# Lays out our Swift files as .swift-format says, in place.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/common.sh

mapfile -t files < <(scripts/sources.sh swift)
((${#files[@]} > 0)) || fail 2 "git lists no Swift file here; is this a clone of the repository?"
say "swift format: ${#files[@]} files"
swift format format --in-place --parallel "${files[@]}" </dev/null
