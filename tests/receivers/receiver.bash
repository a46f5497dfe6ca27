#!/bin/bash
# SPDX-License-Identifier: MIT
#
# receiver.bash SOCKET wait|close - takes over the command of spawnfd --autokill
# --pass=SOCKET, and waits until it ends, or ends it. No shell can receive a
# descriptor, so spawnfd --receive does it, and holds the command for the shell:
# it is there as long as that spawnfd is, which ends as the command ends.
#
# spawnfd says itself when what it received is not an autokill pidfd, and ends
# with this script, even if that is killed.

coproc HOLDER {
	exec spawnfd --receive="$1" --status-fd=1 --die-with-pid=$$
}
# bash forgets both variables, and closes the pipe, when the coproc ends
holder=$HOLDER_PID
exec {events}<&"${HOLDER[0]}" || exit

next()
{
	read -r event <&"$events" && [[ $event != *'"error":'* ]] || exit 1
}

# From here on nobody needs --wait to pass something to the socket.
next	# {"listening":"SOCKET"}
next	# {"child-pid":PID,"pidfd-inode":INODE}
echo "$event"

if [ "$2" = close ]; then
	kill -KILL "$holder"
	read -r
	exit 0
fi

next	# {"exit-code":STATUS}, or with "signal":SIGNAL behind it
if [[ $event =~ \"signal\":([0-9]+) ]]; then
	echo "killed ${BASH_REMATCH[1]}"
else
	wait "$holder"
	echo "exited $?"
fi
