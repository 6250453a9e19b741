"""Runs an interactive shell on a terminal of its own, with a script as its standard input.

terminal.py SECONDS SCRIPT SHELL…

What the terminal shows goes to standard output. At the end, and after SECONDS at the latest, every process that the shell
has left in its session is killed.
"""

import os
import pty
import signal
import subprocess
import sys


def end(session: int) -> None:
    listed = subprocess.run(["ps", "-A", "-o", "pid=,sess="], capture_output=True, text=True).stdout
    for line in listed.splitlines():
        pid, of = line.split()
        if int(of) == session:
            try:
                os.kill(int(pid), signal.SIGKILL)
            except ProcessLookupError:
                pass


def main() -> int:
    seconds, script, *shell = sys.argv[1:]
    pid, terminal = pty.fork()
    if pid == 0:
        os.dup2(os.open(script, os.O_RDONLY), 0)
        os.execvp(shell[0], shell)
    signal.signal(signal.SIGALRM, lambda *_: end(pid))
    signal.alarm(int(seconds))
    while True:
        try:
            shown = os.read(terminal, 65536)
        except OSError:
            break
        if not shown:
            break
        sys.stdout.buffer.write(shown)
        sys.stdout.flush()
    _, status = os.waitpid(pid, 0)
    end(pid)
    return os.waitstatus_to_exitcode(status)


sys.exit(main())
