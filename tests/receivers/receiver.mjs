// SPDX-License-Identifier: MIT
//
// receiver.mjs SOCKET wait|close - takes over the command of spawnfd --autokill
// --pass=SOCKET, and waits until it ends, or ends it.
//
// Node.js itself cannot: a net.Socket reads with read(2), which drops the
// descriptor and so kills the command, and an IPC channel takes nothing but
// sockets; without an addon (or node:ffi, an experiment of Node.js 26) there is
// neither ioctl nor poll. So spawnfd --receive does it, and holds the command:
// it is there as long as that spawnfd is, which ends as the command ends.
//
// spawnfd says itself when what it received is not an autokill pidfd, and ends
// with this process, even if that is killed.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const [path, mode] = process.argv.slice(2);
const holder = spawn('spawnfd',
	[`--receive=${path}`, '--status-fd=3', '--die-with-parent'],
	{ stdio: ['ignore', 'inherit', 'inherit', 'pipe'] });

for await (const line of createInterface({ input: holder.stdio[3] })) {
	const event = JSON.parse(line);
	if ('error' in event)
		process.exitCode = 1;
	else if ('signal' in event)
		console.log(`killed ${event.signal}`);
	else if ('exit-code' in event)
		console.log(`exited ${event['exit-code']}`);
	else if ('child-pid' in event) {
		console.log(line);
		if (mode === 'close') {
			holder.kill('SIGKILL');
			process.stdin.once('data', () => process.exit());
		}
	}
}
