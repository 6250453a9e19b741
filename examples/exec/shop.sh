#!/bin/sh
# An application for this example: it logs in with its environment, reads its file again on SIGHUP, and ends on SIGTERM.
here=$(dirname "$0")
features() { echo "features $(tr -d ' \n' < "$here/run/features.json")"; }
trap features HUP
trap 'echo "$PGUSER logged out"; exit 0' TERM INT
echo "$PGUSER logged in with ${#PGPASSWORD} characters"
features
while :; do sleep 1 & wait $!; done
