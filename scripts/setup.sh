#!/usr/bin/env bash
# Installs what is needed to build and test MXP on Debian 12 and Ubuntu 24.04, through apt. Idempotent: what is there
# already is left alone, and nothing runs when nothing is missing.
#
# Usage: scripts/setup.sh [--fuzz] [--all] [--dry-run]
#   --fuzz     also clang 19 and its runtime, for the fuzz preset
#   --all      also clang 19 with its formatter, clang-tidy, linker and coverage tools, and Open MPI: what scripts/test.sh --all needs
#   --dry-run  only say what is missing
source "$(dirname "$0")/common.sh"

packages=(
  build-essential cmake ninja-build pkg-config git ca-certificates
  libssl-dev libfmt-dev libxxhash-dev libzstd-dev zlib1g-dev libcli11-dev nlohmann-json3-dev libpcap-dev libre2-dev libtomlplusplus-dev libcpp-httplib-dev prometheus-cpp-dev
  libjs-dygraphs
  libboost-test-dev librapidcheck-dev
  python3 python3-jsonschema openssl strace tcpdump
)
dry_run=0
for argument in "$@"; do
  case "$argument" in
    --fuzz) packages+=(clang-19 libclang-rt-19-dev) ;;
    --all) packages+=(clang-19 libclang-rt-19-dev clang-format-19 clang-tidy-19 llvm-19 lld-19 libopenmpi-dev openmpi-bin) ;;
    --dry-run) dry_run=1 ;;
    *) other_argument "$argument" ;;
  esac
done

if ! command -v dpkg-query >/dev/null; then
  echo "setup: this is not a Debian-like system; install by hand what corresponds to: ${packages[*]}" >&2
  exit 1
fi

missing=()
for package in "${packages[@]}"; do
  status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$status" = installed ] || missing+=("$package")
done
# A compiler of one's own does not need build-essential, nor a CMake of one's own the package.
for tool in cmake:cmake ninja:ninja-build g++:build-essential git:git python3:python3; do
  if command -v "${tool%%:*}" >/dev/null; then
    kept=()
    for package in "${missing[@]+"${missing[@]}"}"; do [ "$package" = "${tool##*:}" ] || kept+=("$package"); done
    missing=("${kept[@]+"${kept[@]}"}")
  fi
done

if [ ${#missing[@]} -eq 0 ]; then
  echo "setup: everything is installed"
  exit 0
fi
echo "setup: missing: ${missing[*]}"
[ "$dry_run" = 1 ] && exit 0

sudo=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "setup: installing needs root; run as root: apt-get install ${missing[*]}" >&2
    exit 1
  fi
  sudo=(sudo)
fi
export DEBIAN_FRONTEND=noninteractive
echo "setup: apt-get update"
"${sudo[@]+"${sudo[@]}"}" apt-get update -qq
echo "setup: apt-get install ${missing[*]}"
"${sudo[@]+"${sudo[@]}"}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
echo "setup: done"
