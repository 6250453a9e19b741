"""Runs commands one after another and tells what each took: a JSON line in, a JSON line out, until the input ends.

Python because its wait4 gives the peak memory of one child, which Node tells of itself only.
"""
import json
import os
import sys
import time

for line in sys.stdin:
    order = json.loads(line)
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    to_log = [(os.POSIX_SPAWN_DUP2, log, 1), (os.POSIX_SPAWN_DUP2, log, 2)]
    started = time.monotonic()
    pid = os.posix_spawn(order["argv"][0], order["argv"], order["env"], file_actions=to_log)
    _, status, used = os.wait4(pid, 0)
    lasted = time.monotonic() - started
    os.close(log)
    taken = {
        "status": os.waitstatus_to_exitcode(status),
        "wallMs": lasted * 1000,
        "cpuMs": (used.ru_utime + used.ru_stime) * 1000,
        "peakMiB": used.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10),
    }
    print(json.dumps(taken), flush=True)
