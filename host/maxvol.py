"""Rows of a tall matrix whose square submatrix has (locally) the largest volume."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BLOCK = 8192
"""Rows that are looked at together; bounds the memory."""

Rows = Callable[[int, int], NDArray[np.float64]]


@dataclass(frozen=True)
class Volume:
    """A square submatrix that no exchange of one row makes much larger.

    Attributes:
        chosen: [n] row of the tall matrix at each place; -1 where the row of the start has stayed.
        matrix: [n, n] the rows themselves.
        inverse: [n, n] inverse of `matrix`.
    """

    chosen: NDArray[np.int64]
    matrix: NDArray[np.float64]
    inverse: NDArray[np.float64]


def max_volume(
    rows: Rows,
    count: int,
    start: NDArray[np.float64],
    tolerance: float = 0.01,
    progress: Callable[[int], None] | None = None,
) -> Volume:
    """Exchange rows of a square matrix for rows of a tall one until no exchange adds more than a little volume.

    MaxVol (Goreinov et al. 2010), in blocks of rows: for c = row · inverse, exchanging place k multiplies the
    determinant by c_k. The row with the largest |c_k| of a block goes in until all are at most 1 + tolerance, block
    after block, until a whole round changes nothing. Then that holds for every row of the tall matrix.

    Args:
        rows: rows(first, last) returns [last - first, n] of the tall matrix.
        count: rows of the tall matrix.
        start: [n, n], regular.
        tolerance: above 0; the determinant grows by at least this factor with each exchange, so the search ends.
        progress: called with the number of exchanges after each block.
    """
    matrix, chosen = start.astype(np.float64).copy(), np.full(len(start), -1)
    exchanges, changed = 0, count > 0
    inverse = _inverse(matrix)
    while changed:
        changed = False
        for first in range(0, count, BLOCK):
            block = rows(first, min(first + BLOCK, count))
            swaps = _exchange(block, inverse, tolerance)
            for place, row in swaps:
                matrix[place], chosen[place] = block[row], first + row
            if swaps:
                inverse, changed, exchanges = _inverse(matrix), True, exchanges + len(swaps)
            if progress is not None:
                progress(exchanges)
    return Volume(chosen, matrix, inverse)


def _inverse(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.linalg.inv(matrix), np.float64)


def _exchange(block: NDArray[np.float64], inverse: NDArray[np.float64], tolerance: float) -> list[tuple[int, int]]:
    """The exchanges (place, row of the block), in their order, that leave no larger coefficient in a block."""
    swaps: list[tuple[int, int]] = []
    coefficients = block @ inverse
    while True:
        row, place = divmod(int(np.abs(coefficients).argmax()), coefficients.shape[1])
        pivot = coefficients[row, place]
        if abs(pivot) <= 1.0 + tolerance:
            return swaps
        swaps.append((place, row))
        change = coefficients[row].copy()
        change[place] -= 1.0
        coefficients -= np.outer(coefficients[:, place] / pivot, change)
