"""The whole state of a training run, so that it can continue to the same result."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from nvnmd.training.errors import NvnmdError
from nvnmd.training.model_file import write_atomically

VERSION = 1


class CheckpointError(NvnmdError, ValueError):
    """A checkpoint that cannot be continued from."""


@dataclass(frozen=True)
class Checkpoint:
    """A training run between two steps.

    Attributes:
        step: steps done.
        parameters: of the model, by name.
        optimizer: state of the optimizer.
        sampler: state of the sampler of training frames, and `validation` of the other.
        fingerprint: what must not change when the run continues (settings, data), as readable text by key.
        references: what is added to the energies of each data set, see `References`.
    """

    step: int
    parameters: dict[str, torch.Tensor]
    optimizer: dict[str, Any]
    sampler: dict[str, Any]
    validation: dict[str, Any] | None
    fingerprint: dict[str, str]
    references: dict[str, list[float]] = field(default_factory=dict)


def save_checkpoint(checkpoint: Checkpoint, path: Path) -> None:
    """Write a checkpoint atomically."""
    buffer = io.BytesIO()
    torch.save({"version": VERSION} | checkpoint.__dict__, buffer)
    write_atomically(path, buffer.getvalue())


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint; nothing in the file is executed.

    Raises:
        CheckpointError: missing, damaged, or of another version.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise CheckpointError(f"no checkpoint at {path}; start without --restart") from None
    except Exception as error:  # torch raises several kinds for damaged files
        raise CheckpointError(f"cannot read the checkpoint {path}: {error}") from None
    if not isinstance(content, dict) or content.pop("version", None) != VERSION:
        raise CheckpointError(f"{path} is not a checkpoint of this version of nvnmd")
    return Checkpoint(**content)
