# Completion of mxp-cat, mxp-perf, mxp-perf-mpi, mxp-dump and mxp-netem for bash; installed once under each of these
# names. The options are those that the tool's own --help lists, so that they are always those of the tool that is installed.

_mxp_words_of_help() {  # of the text on stdin: the options
  command sed -nE 's/^  (-[^ ]*).*/\1/p' | command sed -E 's/\{.*//; s/\[.*//; s/=.*//; s/,/\n/g' | command grep -E '^-'
}

_mxp_commands_of_help() {
  command sed -n '/^Subcommands:/,/^$/s/^  \([a-z][a-z-]*\) .*/\1/p'
}

_mxp_complete() {
  local tool=$1 word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command= help candidates each
  COMPREPLY=()
  case $before in
    --suite) mapfile -t COMPREPLY < <(compgen -W 'aes256 chacha20 aes256,chacha20 chacha20,aes256' -- "$word"); return ;;
    --cc) mapfile -t COMPREPLY < <(compgen -W "bbr cubic newreno$([[ ${tool##*/} == mxp-perf* ]] && echo ' none')" -- "$word"); return ;;
    --frame) mapfile -t COMPREPLY < <(compgen -W 'raw line len nul' -- "$word"); return ;;
    --qlog-flavour) mapfile -t COMPREPLY < <(compgen -W 'ietf qvis' -- "$word"); return ;;
    --priority) mapfile -t COMPREPLY < <(compgen -W 'critical control streaming background' -- "$word"); return ;;
    --message) mapfile -t COMPREPLY < <(compgen -W 'AgentRegister AgentDiscover AgentHeartbeat Call Response Event StreamOpen StreamChunk StreamClose Ack Error' -- "$word"); return ;;
    --stats) [[ ${tool##*/} != mxp-dump ]] || { mapfile -t COMPREPLY < <(compgen -W 'summary connections streams loss rtt' -- "$word"); return; } ;;
    --metric) mapfile -t COMPREPLY < <(compgen -W 'goodput messages streams handshakes p50 p90 p99 p999 max' -- "$word"); return ;;
    --format) [[ ${tool##*/} != mxp-perf ]] || { mapfile -t COMPREPLY < <(compgen -W 'text json junit github' -- "$word"); return; } ;;&
    -T|--format) [[ ${tool##*/} != mxp-dump ]] || { mapfile -t COMPREPLY < <(compgen -W 'text json fields' -- "$word"); return; } ;;
    --test) mapfile -t COMPREPLY < <(compgen -W 'bulk rr messages mixed datagrams isolation streams connect' -- "$word"); return ;;
    --baseline) COMPREPLY=(tls); return ;;
    --arrivals) mapfile -t COMPREPLY < <(compgen -W 'fixed poisson' -- "$word"); return ;;
  esac
  help=$("$tool" --help 2>/dev/null) || return
  local commands
  commands=$(_mxp_commands_of_help <<<"$help")
  for each in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    if [[ $'\n'$commands$'\n' == *$'\n'"$each"$'\n'* ]]; then command=$each; break; fi
  done
  [[ -z $command ]] || help=$("$tool" "$command" --help 2>/dev/null) || return
  if [[ $word == -* ]]; then
    candidates=$(_mxp_words_of_help <<<"$help")
  elif [[ ${tool##*/} == mxp-netem ]]; then
    candidates='delay loss ecn duplicate corrupt reorder gap rate limit slot distribution queue order mtu trace rebind outage marks droplist'
  elif [[ -z $command ]]; then
    candidates=$commands
  fi
  mapfile -t COMPREPLY < <(compgen -W "$candidates" -- "$word")
}

complete -o default -F _mxp_complete mxp-cat mxp-perf mxp-perf-mpi mxp-dump mxp-netem
