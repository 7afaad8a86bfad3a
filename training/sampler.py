"""Which frames make up the next batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Sampler:
    """Endless batches of frame indices; each system's frames are shuffled anew whenever all have been used.

    Without weights all frames are shuffled together, so that a system is drawn as often as it has frames
    (DeePMD-kit's `prob_sys_size`). With weights a system is drawn first. The state can be saved and restored.
    """

    def __init__(
        self, system_sizes: Sequence[int], batch_size: int, seed: int, weights: Sequence[float] | None = None
    ) -> None:
        ends = np.cumsum(system_sizes)
        if weights is None:
            self._pools = [np.arange(ends[-1])]
            self._weights = np.ones(1)
        else:
            self._pools = [np.arange(end - n, end) for n, end in zip(system_sizes, ends, strict=True)]
            self._weights = np.asarray(weights, dtype=np.float64) / np.sum(weights)
        self.batch_size = batch_size
        self._rng = np.random.default_rng(seed)
        self._queues: list[NDArray[np.int64]] = [pool[:0] for pool in self._pools]

    def next(self) -> list[int]:
        """Indices of the frames of the next batch."""
        return [self._draw() for _ in range(self.batch_size)]

    def _draw(self) -> int:
        pool = 0 if len(self._pools) == 1 else int(self._rng.choice(len(self._pools), p=self._weights))
        if not self._queues[pool].size:
            self._queues[pool] = self._rng.permutation(self._pools[pool])
        first, self._queues[pool] = self._queues[pool][0], self._queues[pool][1:]
        return int(first)

    def state(self) -> dict[str, Any]:
        """Plain values that `restore` takes."""
        return {"rng": self._rng.bit_generator.state, "queues": [queue.tolist() for queue in self._queues]}

    def restore(self, state: dict[str, Any]) -> None:
        """Continue where the sampler with this state stood."""
        self._rng.bit_generator.state = state["rng"]
        self._queues = [np.array(queue, dtype=np.int64) for queue in state["queues"]]


def auto_batch_size(atoms: Sequence[int], rule: str) -> int:
    """DeePMD-kit's rule: as many frames as make at least 32 atoms ("auto") or N atoms ("auto:N")."""
    target = int(rule[5:]) if rule.startswith("auto:") else 32
    return max(1, -(-target // min(atoms)))
