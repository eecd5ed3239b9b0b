#!/bin/sh
# Runs an application under `seatledger run`. Link the application's names to this file, in a directory that stands
# before the application's own in PATH:
#
#     ln -s /opt/seatledger/wrapper.sh /opt/seatledger/bin/solver
#
# SEATLEDGER_TO and SEATLEDGER_TOKEN_FILE say whom to tell. Where there is no seatledger the application runs all the same.
name=${0##*/}
own=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)

# The application is the next of that name in PATH, behind this file's directory.
command=
IFS=:
for directory in $PATH; do
  [ "$directory" = "$own" ] && continue
  if [ -f "$directory/$name" ] && [ -x "$directory/$name" ]; then
    command=$directory/$name
    break
  fi
done
unset IFS
if [ -z "$command" ]; then
  echo "$name: there is no $name in PATH behind $own" >&2
  exit 127
fi
command -v seatledger > /dev/null || exec "$command" "$@"
exec seatledger run --app "$name" -- "$command" "$@"
