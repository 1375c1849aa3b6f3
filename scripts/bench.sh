#!/usr/bin/env bash
# Runs the benchmarks and passes its arguments on (--quick). What they measure and against whom: docs/BENCHMARKS.md.
# The peers are brought first: Debian's nginx with nchan and with ModSecurity, Apache with ModSecurity 2 (its programs
# alone, no service), the Core Rule Set, libuv for uWebSockets, sqlmap, PyPI packages in .venv-bench. What can't be
# installed is left out of the comparison.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/common.sh

[[ -f Benchmarks/run.sh ]] || fail 2 "Benchmarks/run.sh is missing: there is nothing to measure."
for compiler in gcc g++; do
  command -v "$compiler" >/dev/null || fail 2 "$compiler was not found; load client and peers are compiled with it." "apt-get install -y $compiler"
done

packages=()
for package in nginx-light libnginx-mod-nchan libuv1 libnginx-mod-http-modsecurity libmodsecurity-dev apache2-bin \
  libapache2-mod-security2 modsecurity-crs sqlmap; do
  [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || packages+=("$package")
done
# Any build of nginx will do.
if command -v nginx >/dev/null; then packages=("${packages[@]/nginx-light/}"); fi
packages=(${packages[@]+${packages[@]}})
if ((${#packages[@]} > 0)); then
  say "installing Debian packages of the peers: ${packages[*]}"
  apt=(env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0)
  ((EUID == 0)) || apt=(sudo -n "${apt[@]}")
  { "${apt[@]}" update && "${apt[@]}" install -y --no-install-recommends "${packages[@]}"; } >&2 </dev/null \
    || warn "not installed: ${packages[*]}; the comparison goes without those peers"
fi
# Checkers of rules have their own: what they need doesn't go with the others'.
while read -r requirements venv; do
  wanted=$(cat "$requirements")
  [[ $wanted != "$(cat "$venv/.requirements" 2>/dev/null)" ]] || continue
  say "installing $requirements into $venv"
  if python3 -m venv --clear "$venv" \
    && "$venv/bin/python" -m pip --disable-pip-version-check --quiet install --requirement "$requirements" </dev/null; then
    printf '%s\n' "$wanted" >"$venv/.requirements"
  else
    warn "$requirements could not be installed; the comparison goes without those peers"
  fi
done <<'EOF'
Benchmarks/requirements.txt .venv-bench
Benchmarks/Govern/requirements.txt .venv-bench-govern
Benchmarks/Govern/requirements-custodian.txt .venv-bench-custodian
Benchmarks/Govern/requirements-prowler.txt .venv-bench-prowler
EOF
exec bash Benchmarks/run.sh "$@"
