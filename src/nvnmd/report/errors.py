"""The error of the report."""

from nvnmd.training.errors import NvnmdError


class ReportError(NvnmdError, ValueError):
    """A run folder or a reference curve that cannot be read; the message names the file."""
