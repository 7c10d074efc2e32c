# What the scripts share; they source it, then parse their options:
#
#   source "$(dirname "$0")/common.sh"
#   while [ $# -gt 0 ]; do
#     case "$1" in
#       --hours) hours=$(whole_number "$@"); shift 2 ;;
#       --since) since=$(value "$@"); shift 2 ;;
#       *) other_argument "$1" ;;
#     esac
#   done
#
# Afterwards the project's root is the working directory and $script is the script's name, for messages.
# shellcheck shell=bash
set -euo pipefail
script=$(basename "$0" .sh)
script_path=$(realpath "$0")
cd "$(dirname "$script_path")/.."
jobs=${JOBS:-$(nproc)}

fail() {  # fail MESSAGE [EXIT CODE]
  echo "$script: $1" >&2
  exit "${2:-1}"
}

# The comment at the head of the script is its help text.
show_help() { sed -n '2,${/^#/!q;s/^# \{0,1\}//p}' "$script_path"; }

# For what the script's own loop does not know.
other_argument() {
  case "$1" in
    -h|--help) show_help; exit 0 ;;
    *) fail "unknown argument '$1' (try --help)" 2 ;;
  esac
}

# value OPTION [VALUE...] and whole_number OPTION [VALUE...]: the value that has to follow the option.
value() {
  [ $# -ge 2 ] || fail "$1 needs a value (try --help)" 2
  printf '%s\n' "$2"
}
whole_number() {
  local number
  number=$(value "$@") || exit
  [[ $number =~ ^[1-9][0-9]*$ ]] || fail "$1 takes a whole number, not '$number'" 2
  printf '%s\n' "$number"
}

# line_of FILE BEGIN PID: waits until a line that begins so stands in the file, and prints it; fails if the process ends before.
line_of() {
  for _ in $(seq 200); do
    if grep -m 1 "^$2" "$1" 2>/dev/null; then return 0; fi
    kill -0 "$3" 2>/dev/null || break
    sleep 0.05
  done
  echo "$script: no '$2' in $1:" >&2
  cat "$1" >&2
  return 1
}

# Set where ccache is installed; for cmake's command line.
launcher=()
if command -v ccache >/dev/null; then launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache); fi
