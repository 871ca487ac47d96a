#!/bin/sh
# Runs workerd so that it never outlives the router. Miniflare ends workerd when the router ends in good order; a router that is
# killed can't, and workerd would go on: it would hold the port, and write to the state beside its successor.
#
# File descriptor 3 is miniflare's control pipe. Its other end is in the router's process, so reading from it ends with that process.
# SIGINT from a terminal goes to the router and to workerd alike; when workerd ends is the router's decision.
trap '' INT
pid=$$
(
  exec </dev/null >/dev/null 2>&1
  while read -r _ <&3; do :; done
  name=$(cat "/proc/$pid/comm" || ps -o comm= -p "$pid")
  case $name in *workerd*) kill -9 "$pid" ;; esac
) &
exec "$SLUICE_WORKERD" "$@"
