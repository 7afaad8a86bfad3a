"""Several processes that train one model: each takes its share of every batch, and gradients are added up.

Every process holds the whole model, the whole optimizer and the same sampler, so that one sum per step is all that is
exchanged. Losses are parts of the global batch's loss, so the sum over processes is what one process would have found.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, distributed

from nvnmd.training.errors import NvnmdError


class ParallelError(NvnmdError, RuntimeError):
    """Processes that cannot train together."""


@dataclass(frozen=True)
class Ranks:
    """One of several processes.

    Attributes:
        rank: of this process; 0 is the one that writes files.
        size: number of processes.
    """

    rank: int = 0
    size: int = 1

    @property
    def writes(self) -> bool:
        return self.rank == 0

    def check(self, batch_size: int) -> None:
        """See that every process has something to do.

        Raises:
            ParallelError: fewer frames in a batch than processes.
        """
        if batch_size < self.size:
            raise ParallelError(
                f"a batch of {batch_size} frames cannot be split among {self.size} processes; "
                f"set training.training_data.batch_size to {self.size} or more, or start fewer processes"
            )

    def mine(self, batch: Sequence[int]) -> list[int]:
        """The frames of a batch that this process computes."""
        return list(batch[self.rank :: self.size])

    def share(self, value: Any) -> Any:
        """What process 0 passes here, on all processes."""
        if self.size == 1:
            return value
        values = [value]
        distributed.broadcast_object_list(values, src=0)
        return values[0]

    def add_up(self, parameters: Sequence[torch.nn.Parameter], numbers: Sequence[Tensor]) -> list[Tensor]:
        """Replace gradients by their sums over all processes.

        Args:
            parameters: the same on all processes; a missing gradient counts as zero.
            numbers: scalars.

        Returns:
            the sums of the scalars.
        """
        if self.size == 1:
            return list(numbers)
        for parameter in parameters:
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        grads = [parameter.grad for parameter in parameters if parameter.grad is not None]
        flat = torch.cat([*(grad.flatten() for grad in grads), torch.stack([n.detach() for n in numbers]).to(grads[0])])
        distributed.all_reduce(flat)
        parts = flat.split([*(grad.numel() for grad in grads), *(1 for _ in numbers)])
        for grad, part in zip(grads, parts, strict=False):
            grad.copy_(part.view_as(grad))
        return [part[0] for part in parts[len(grads) :]]


@contextmanager
def ranks_of_environment(device: str) -> Iterator[tuple[Ranks, str]]:
    """This process among those that torchrun started, and its device; one process alone without torchrun.

    Args:
        device: "cuda" becomes the GPU with the process's number on its machine.

    Raises:
        ParallelError: the processes did not find each other.
    """
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1 or "RANK" not in os.environ:
        yield Ranks(), device
        return
    if device == "cuda":
        device = f"cuda:{os.environ.get('LOCAL_RANK', '0')}"
    on_gpu = torch.device(device).type == "cuda"
    if on_gpu:
        torch.cuda.set_device(device)
    try:
        distributed.init_process_group("nccl" if on_gpu else "gloo")
    except (RuntimeError, ValueError) as error:
        raise ParallelError(
            f"the {size} processes did not find each other: {str(error).splitlines()[0]}; start them with torchrun"
        ) from None
    try:
        yield Ranks(distributed.get_rank(), distributed.get_world_size()), device
    finally:
        distributed.destroy_process_group()
