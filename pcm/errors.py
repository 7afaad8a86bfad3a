"""The error of this room."""

from nvnmd.training.errors import NvnmdError


class PcmError(NvnmdError, ValueError):
    """A structure, a protocol, a run or a trajectory that cannot be used as it is; the message says what to change."""
