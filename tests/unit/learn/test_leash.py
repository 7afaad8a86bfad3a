"""Commands that die with the process that started them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from nvnmd.learn.leash import leashed

SLEEP = [sys.executable, "-c", "import os, time; print(os.getpid(), flush=True); time.sleep(60)"]
STARTER = f"import subprocess; from nvnmd.learn.leash import leashed; subprocess.Popen(leashed({SLEEP})).wait()"


def is_running(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


def test_the_command_gets_arguments_and_environment_and_gives_its_exit_code() -> None:
    script = "import os, sys; print(sys.argv[1:], os.environ['PART']); sys.exit(3)"
    command = leashed([sys.executable, "-c", script, "a b", "-c"])
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"PART": "x"}, check=False)
    assert (done.stdout, done.returncode) == ("['a b', '-c'] x\n", 3)


def test_a_killed_starter_takes_the_command_along() -> None:
    starter = subprocess.Popen([sys.executable, "-c", STARTER], stdout=subprocess.PIPE, text=True)
    assert starter.stdout is not None
    number = int(starter.stdout.readline())
    assert is_running(number)
    starter.send_signal(signal.SIGKILL)
    starter.wait()
    end = time.monotonic() + 10
    while is_running(number) and time.monotonic() < end:
        time.sleep(0.02)
    assert not is_running(number)
    starter.stdout.close()


def test_a_command_without_its_starter_is_not_begun() -> None:
    program, *options, _, command, argument = leashed(["echo", "begun"])
    other = [program, *options, str(os.getppid()), command, argument]
    assert subprocess.run(other, capture_output=True, text=True, check=False).stdout == ""


def test_a_missing_program_is_named() -> None:
    done = subprocess.run(leashed(["no-such-program"]), capture_output=True, text=True, check=False)
    assert (done.stderr, done.returncode) == ("no-such-program: No such file or directory\n", 1)
