#!/usr/bin/env bash
# Brings what Kabuto needs and Swift's package manager can't: a Swift of the right age, Debian's libraries, and the
# chart library of the viewer. Says what it does; does nothing, quickly, when all is there. Needs no terminal.
#
#   scripts/setup.sh           what building and running need
#   scripts/setup.sh --test    and what the browser tests need
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/common.sh

readonly swift_wanted=6.3
readonly build_packages=(
  zlib1g-dev libsqlite3-dev pkg-config python3 python3-venv python3-pip
  libvectorscan-dev libpcre2-dev libxml2-dev libmodsecurity-dev modsecurity-crs # the firewall's
  libnats-dev # the backbone's
)
readonly test_packages=(chromium chromium-driver fonts-noto-cjk nats-server frr iproute2 faketime)

# The wheel is a carrier: only this one file is taken from it, and only if it is the file we know.
readonly chart_wheel='lightweight-charts==2.1'
readonly chart_member='lightweight_charts/js/lightweight-charts.js'
readonly chart_sha256='a7d4221516c7ea0bb0cc17d605df8848c1c748517a2ca43c2ce1a95ddb159006'
readonly chart_version='4.1.3'
readonly vendor='Sources/Gateway/Viewer/vendor'

check_swift() {
  local remedy=(
    "Install Swift $swift_wanted or newer for this system from https://www.swift.org/install/linux/"
    "and put its usr/bin on PATH; 'swift --version' must answer."
  )
  command -v swift >/dev/null \
    || fail 2 "swift was not found on PATH; Kabuto needs $swift_wanted or newer." "${remedy[@]}"
  local answer version
  answer=$(swift --version 2>/dev/null </dev/null) || fail 2 "'swift --version' failed." "${remedy[@]}"
  version=$(sed -n 's/.*Swift version \([0-9][0-9.]*\).*/\1/p' <<<"$answer" | head -n 1)
  [[ -n $version ]] || fail 2 "'swift --version' gave no version: $answer" "${remedy[@]}"
  if [[ $(printf '%s\n%s\n' "$swift_wanted" "$version" | sort -V | head -n 1) != "$swift_wanted" ]]; then
    fail 2 "this is Swift $version; Kabuto needs $swift_wanted or newer." "${remedy[@]}"
  fi
}

is_installed() {
  # A name that a Debian does not know fails in dpkg-query: not installed.
  [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

install_debian_packages() {
  if ! command -v dpkg-query >/dev/null; then
    warn "this is not Debian: install the equivalents of these yourself: $*"
    return
  fi
  local package missing=()
  for package in "$@"; do
    is_installed "$package" || missing+=("$package")
  done
  ((${#missing[@]} > 0)) || return 0

  local by_hand="apt-get update && apt-get install -y --no-install-recommends ${missing[*]}"
  local root=()
  if ((EUID != 0)); then
    command -v sudo >/dev/null \
      || fail 2 "these Debian packages are missing: ${missing[*]}" "Type as root, then try again:" "  $by_hand"
    root=(sudo)
    [[ -t 0 ]] || root=(sudo -n) # nobody is there to type a password
    "${root[@]}" true \
      || fail 2 "these Debian packages are missing, and sudo was refused: ${missing[*]}" \
        "Type as root, then try again:" "  $by_hand"
  fi
  # `env` carries the setting through sudo, which would drop it.
  local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0)
  say "installing Debian packages: ${missing[*]}"
  "${root[@]}" "${apt[@]}" update >&2 </dev/null || warn "apt-get update had a problem; trying with the lists at hand"
  "${root[@]}" "${apt[@]}" install -y --no-install-recommends "${missing[@]}" >&2 </dev/null \
    || fail 2 "apt-get could not install: ${missing[*]}" "Type as root to see why, then try again:" "  $by_hand"
}

is_known_chart_library() {
  [[ -f $1 ]] && sha256sum --check --status <<<"$chart_sha256  $1"
}

fetch_chart_library() {
  local target="$vendor/lightweight-charts.js"
  if ! is_known_chart_library "$target"; then
    say "fetching the viewer's chart library, Lightweight Charts $chart_version (160 kB)"
    scratch=$(mktemp -d)
    trap 'rm -rf "$scratch"' EXIT
    if ! python3 -m pip --disable-pip-version-check --quiet --timeout 15 --retries 2 download \
      --no-deps --only-binary=:all: --dest "$scratch" "$chart_wheel" >&2 </dev/null; then
      warn "PyPI could not be reached: the viewer shows a table in place of the chart. 'make setup' tries again."
      chart=absent
      return
    fi
    python3 - "$scratch" "$chart_member" <<'PYTHON'
import pathlib, sys, zipfile
scratch, member = pathlib.Path(sys.argv[1]), sys.argv[2]
with zipfile.ZipFile(next(scratch.glob("*.whl"))) as wheel:
    (scratch / "chart.js").write_bytes(wheel.read(member))
PYTHON
    is_known_chart_library "$scratch/chart.js" \
      || fail 2 "the chart library that came is not the one we know; it was not installed." \
        "wanted sha256 $chart_sha256" \
        "found  sha256 $(sha256sum "$scratch/chart.js" | cut -d ' ' -f 1)" \
        "If $chart_wheel has really changed, review it and change chart_sha256 in scripts/setup.sh."
    mkdir -p "$vendor"
    install -m 644 "$scratch/chart.js" "$target.part"
    mv "$target.part" "$target" # whole or not at all
  fi
  local note="$vendor/LICENSE-lightweight-charts.txt"
  [[ -f $note ]] || cat >"$note" <<NOTE
lightweight-charts.js is TradingView Lightweight Charts(TM) $chart_version, unchanged.
Copyright (c) 2024 TradingView, Inc. https://www.tradingview.com/
Source: https://github.com/tradingview/lightweight-charts
sha256: $chart_sha256

Licensed under the Apache License, Version 2.0: the text is in the file LICENSE at the root of this project
and at https://www.apache.org/licenses/LICENSE-2.0. A page that shows such a chart names TradingView as its maker.
NOTE
}

packages=("${build_packages[@]}")
case ${1-} in
  '') ;;
  --test) packages+=("${test_packages[@]}") ;;
  *) fail 64 "unknown argument: $1" "usage: scripts/setup.sh [--test]" ;;
esac

check_swift
install_debian_packages "${packages[@]}"
chart=present
fetch_chart_library
[[ $chart == absent ]] || say "set-up: all there"
