#!/bin/sh
# Stands for an application: logs in with its environment, reads a file again on SIGHUP, ends on SIGTERM.
here=$(dirname "$0")
features() { echo "features $(tr -d ' \n' < "$here/run/features.json")"; }
trap features HUP
trap 'echo "$PGUSER logged out"; exit 0' TERM INT
echo "$PGUSER logged in with ${#PGPASSWORD} characters"
features
while :; do sleep 1 & wait $!; done
