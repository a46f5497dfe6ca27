#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""fates - prints the table of README.md that compares spawnfd with other tools.

Each cell is a run: a parent starts a tool, and the tool starts a command. Then
something happens, and the fate of the command is seen through its pidfd. With
the word "check", the table of README.md is compared instead; a tool that is
missing, or has another version there, is named and left out. It needs root, and
the kernel must have the flags: tests/kernel/run python3 tests/peers/fates.py
"""
import atexit
import os
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading

PATIENCE_S = 3.0     # a command that is alive after that time lives on
GRACE = "0.2"        # between SIGTERM and SIGKILL, for tools that have such a time
ME = [sys.executable, "-B", os.path.abspath(__file__)]

# The name in the table, what tells the version, and the command line
TOOLS = {
    "spawnfd": (None, ["spawnfd", "--autokill", "--kill-tree",
                       "--die-with-parent", "--kill-after=" + GRACE, "--"]),
    "setpriv": ("setpriv --version", ["setpriv", "--pdeathsig", "KILL", "--"]),
    "unshare": ("unshare --version", ["unshare", "--fork", "--pid",
                                      "--kill-child", "--"]),
    "timeout": ("timeout --version", ["timeout", "-k", GRACE, "1000"]),
    "bwrap": ("bwrap --version", ["bwrap", "--dev-bind", "/", "/", "--cap-add",
                                  "ALL", "--unshare-pid", "--die-with-parent",
                                  "--"]),
    "tini": ("tini --version", ["tini", "-s", "-g", "-p", "SIGKILL", "--"]),
    "systemd-run": ("systemd-run --version",
                    ["systemd-run", "--user", "--scope", "--quiet", "--"]),
}
# These become the command.
BECOMING = {"setpriv", "systemd-run"}

AS_NOBODY = ["setpriv", "--reuid", "65534", "--regid", "65534",
             "--clear-groups", "--"]

# The row of the table, what happens, and to whom
SCENES = [
    ("The tool gets SIGKILL", "kill tool", "command"),
    ("The parent of the tool gets SIGKILL", "kill parent", "command"),
    ("The command has changed its user, then the same", "kill user", "command"),
    ("The tool gets SIGKILL: the children of the command", "kill tool",
     "child"),
    ("The tool gets SIGTERM, which the command ignores", "term tool",
     "command"),
    ("The thread that started the tool ends", "end thread", "command"),
]


def say(word):
    socket.socket(fileno=os.dup(0)).send(word.encode())


def be_command():
    """Has a child, ignores SIGTERM, and lives until it is killed."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    say("child" if os.fork() == 0 else "command")
    while True:
        signal.pause()


def be_parent(arguments):
    """Starts the tool in a thread that ends when a byte comes."""
    def start():
        tool = subprocess.Popen(arguments)
        say(f"tool {tool.pid}")
        os.read(0, 1)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    say("ended")
    while True:
        signal.pause()


def hear(ours):
    """Gives the next words, and the pid of the process that has said them."""
    size = struct.calcsize("3i")
    words, controls, _, _ = ours.recvmsg(64, socket.CMSG_SPACE(size))
    return words.decode(), struct.unpack("3i", controls[0][2][:size])[0]


def has_ended(pidfd):
    ready, _, _ = select.select([pidfd], [], [], PATIENCE_S)
    return bool(ready)


def act(event, becomes, pids, ours):
    """Lets the event happen; gives None if the tool has no such process."""
    tool_is_command = becomes and event in ("kill tool", "kill user")
    if event == "kill tool" and tool_is_command:
        return None
    if event == "end thread":
        ours.send(b"x")
        while hear(ours)[0] != "ended":
            pass
    elif event == "term tool":
        os.kill(pids["tool"], signal.SIGTERM)
    elif event == "kill parent" or tool_is_command:
        os.kill(pids["parent"], signal.SIGKILL)
    else:
        os.kill(pids["tool"], signal.SIGKILL)
    return True


def fate(name, event, who):
    """Runs one cell and gives "killed", "lives" or "-"."""
    words = list(TOOLS[name][1])
    if event == "kill user":
        words += AS_NOBODY
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.settimeout(30)
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    parent = subprocess.Popen(ME + ["parent"] + words + ME + ["command"],
                              stdin=theirs)
    theirs.close()
    pids = {"parent": parent.pid}
    while not {"tool", "command", "child"} <= pids.keys():
        said, pid = hear(ours)
        pids[said.split()[0]] = int(said[5:]) if said[:4] == "tool" else pid
    pidfds = {word: os.pidfd_open(pid) for word, pid in pids.items()}
    happened = act(event, name in BECOMING, pids, ours)
    result = "-"
    if happened:
        result = "killed" if has_ended(pidfds[who]) else "lives"
    for pidfd in pidfds.values():
        try:
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)
        except ProcessLookupError:
            pass
    return result


def column(name):
    """Runs the cells of a tool at the same time, each in its own process."""
    readers = []
    for scene in SCENES:
        reader, writer = os.pipe()
        if os.fork() == 0:
            os.write(writer, fate(name, scene[1], scene[2]).encode())
            os._exit(0)
        os.close(writer)
        readers.append(reader)
    return [os.read(reader, 16).decode() for reader in readers]


def start_manager():
    """Starts the manager that systemd-run asks. Process 1 need not be one."""
    os.makedirs("/run/systemd/system", exist_ok=True)
    group = "/sys/fs/cgroup/manager"
    os.makedirs(group, exist_ok=True)
    folder = tempfile.mkdtemp()
    os.environ["XDG_RUNTIME_DIR"] = folder
    ready = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    ready.settimeout(60)
    ready.bind(folder + "/ready")
    manager = subprocess.Popen(
        ["sh", "-c", f"echo $$ >{group}/cgroup.procs && "
         "exec /usr/lib/systemd/systemd --user"],
        env=dict(os.environ, NOTIFY_SOCKET=folder + "/ready"),
        stderr=subprocess.DEVNULL)
    atexit.register(manager.kill)
    while b"READY=1" not in ready.recv(4096):
        pass


def version(name):
    command = TOOLS[name][0]
    if not command:
        return ""
    said = subprocess.run(command.split(), capture_output=True, text=True)
    return re.search(r"\d+(\.\d+)+", said.stdout + said.stderr)[0]


def heading(name):
    return " ".join(filter(None, [f"`{name}`", version(name)]))


def installed():
    return [name for name in TOOLS if shutil.which(name)]


def table():
    names = installed()
    columns = {name: column(name) for name in names}
    print("| | " + " | ".join(map(heading, names)) + " |")
    print("|---" * (len(names) + 1) + "|")
    for i, scene in enumerate(SCENES):
        cells = [columns[name][i] for name in names]
        print(f"| {scene[0]} | " + " | ".join(cells) + " |")


def find_column(headings, here):
    """Gives the column of this tool and version; one column may name several."""
    tool, _, release = here.partition("` ")
    for i, text in enumerate(headings):
        same_tool, _, releases = text.partition("` ")
        if same_tool == tool and release in releases.split(", "):
            return i
    return None


def check():
    """Compares the columns of README.md whose tool and version are here."""
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")]
            for line in open("README.md", encoding="utf-8")
            if line.startswith("| ")]
    start = next(i for i, row in enumerate(rows) if row[1] == "`spawnfd`")
    rows = rows[start:start + 1 + len(SCENES)]
    assert [row[0] for row in rows[1:]] == [scene[0] for scene in SCENES]
    right = wrong = 0
    for name in TOOLS:
        here = heading(name) if name in installed() else "missing"
        i = find_column(rows[0], here)
        if i is None:
            print(f"NOT TESTED: {name}: here it is {here}")
            continue
        said = [row[i] for row in rows[1:]]
        seen = column(name)
        right += said == seen
        wrong += said != seen
        print(f"{here}: {', '.join(seen)}"
              + ("" if said == seen else f"; README.md says {said}"))
    print(f"{right} passed, {wrong} failed")
    return wrong > 0


if sys.argv[1:2] == ["command"]:
    be_command()
if sys.argv[1:2] == ["parent"]:
    be_parent(sys.argv[2:])
if "systemd-run" in installed():
    start_manager()
if sys.argv[1:2] == ["check"]:
    sys.exit(check())
else:
    table()
