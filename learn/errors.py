"""The errors of this room."""

from nvnmd.training.errors import NvnmdError


class LearnError(NvnmdError, ValueError):
    """Settings, structures or labels that cannot be used as they are; the message says what to change."""


class LabelError(LearnError):
    """One frame that got no usable label: it is kept out and counted, and the queue goes on with the next."""


class QueueError(LearnError):
    """Something that would fail for every frame alike; what is labeled stays, and the same command goes on."""
