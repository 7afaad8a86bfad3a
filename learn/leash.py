"""Commands that die with the process that started them, so that a killed program leaves nothing running (Linux).

`subprocess` could do this between fork and exec, but Python code there can hang where the parent has other threads, as
JAX and torch start them. So this file itself is the command that is started: it ties itself to its parent and becomes
the command that was meant.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Sequence

_PR_SET_PDEATHSIG = 1


def leashed(command: Sequence[str]) -> list[str]:
    """The command line to start instead of `command`."""
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), *command]


def _become(parent: int, command: list[str]) -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() == parent:  # else it died before it could tell
        try:
            os.execvp(command[0], command)
        except OSError as error:
            sys.exit(f"{command[0]}: {error.strerror}")


if __name__ == "__main__":
    _become(int(sys.argv[1]), sys.argv[2:])
