"""The loop over rings, compiled by numba; imported only where rings are counted.

A primitive ring holds two shortest paths from its lowest-numbered atom, the root: to the atom opposite (even rings) or
to both ends of the bond opposite (odd rings). Such pairs are listed, and kept if all opposite atoms of the ring are as
far from each other in the network as along the ring; nearer atoms of a ring then have no shortcut either, because it
would shorten the way between opposite ones.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Integers = NDArray[np.int64]
MAX_PATHS = 1000


@njit(cache=True)
def walk(starts: Integers, others: Integers, max_size: int) -> Integers:
    """Primitive rings by size [max_size + 1]; element 0 is 1 if there were more paths than MAX_PATHS."""
    count = len(starts) - 1
    counts = np.zeros(max_size + 1, dtype=np.int64)
    level, near = np.full(count, -1, dtype=np.int64), np.full(count, -1, dtype=np.int64)
    queue, near_queue = np.empty(count, dtype=np.int64), np.empty(count, dtype=np.int64)
    left = np.empty((MAX_PATHS, max_size // 2 + 1), dtype=np.int64)
    right = np.empty((MAX_PATHS, max_size // 2 + 1), dtype=np.int64)
    for root in range(count):
        reached = spread(starts, others, root, max_size // 2, level, queue, -1)
        for n in range(1, reached):
            atom = queue[n]
            depth = level[atom]
            if atom < root:
                continue
            paths = descend(starts, others, atom, root, level, left)
            if paths == MAX_PATHS:
                counts[0] = 1
                return counts
            if depth >= 2 and 2 * depth <= max_size:
                for i in range(paths):
                    for j in range(i):
                        if apart(left[i], left[j], depth - 1):
                            counts[2 * depth] += even_ring(starts, others, left[i], left[j], depth, near, near_queue)
            if 2 * depth + 1 <= max_size:
                for k in range(starts[atom], starts[atom + 1]):
                    end = others[k]
                    if end > atom and level[end] == depth:
                        ends = descend(starts, others, end, root, level, right)
                        if ends == MAX_PATHS:
                            counts[0] = 1
                            return counts
                        for i in range(paths):
                            for j in range(ends):
                                if apart(left[i], right[j], depth):
                                    counts[2 * depth + 1] += odd_ring(
                                        starts, others, left[i], right[j], depth, root, near, near_queue
                                    )
        for n in range(reached):
            level[queue[n]] = -1
    return counts


@njit(cache=True)
def spread(
    starts: Integers, others: Integers, root: int, reach: int, level: Integers, queue: Integers, target: int
) -> int:
    """Breadth first from `root` up to `reach` bonds, or to `target`: fills `level` and `queue`, returns how many atoms
    were reached."""
    level[root] = 0
    queue[0] = root
    head, tail = 0, 1
    while head < tail:
        atom = queue[head]
        head += 1
        if level[atom] == reach:
            break
        for k in range(starts[atom], starts[atom + 1]):
            other = others[k]
            if level[other] < 0:
                level[other] = level[atom] + 1
                queue[tail] = other
                tail += 1
                if other == target:
                    return tail
    return tail


@njit(cache=True)
def descend(starts: Integers, others: Integers, atom: int, root: int, level: Integers, paths: Integers) -> int:
    """Shortest paths from `atom` to `root` over atoms numbered above it; row: the atoms at level 1 up to the atom's."""
    depth = level[atom]
    choice = np.zeros(depth + 1, dtype=np.int64)
    line = np.empty(depth + 1, dtype=np.int64)
    line[depth] = atom
    choice[depth] = starts[atom]
    found, at = 0, depth
    while at <= depth:
        if at == 1:
            for k in range(depth):
                paths[found, k] = line[k + 1]
            found += 1
            if found == MAX_PATHS:
                return found
            at += 1
            continue
        here = line[at]
        moved = False
        while choice[at] < starts[here + 1]:
            other = others[choice[at]]
            choice[at] += 1
            if level[other] == at - 1 and other > root:
                line[at - 1] = other
                choice[at - 1] = starts[other]
                at -= 1
                moved = True
                break
        if not moved:
            at += 1
    return found


@njit(cache=True)
def apart(first: Integers, second: Integers, length: int) -> bool:
    """Whether two paths share no atom; atoms of different levels are different anyway."""
    same = 0
    for k in range(length):
        same += first[k] == second[k]
    return same == 0


@njit(cache=True)
def nearer(starts: Integers, others: Integers, a: int, b: int, reach: int, level: Integers, queue: Integers) -> bool:
    """Whether b is fewer than `reach` bonds from a."""
    reached = spread(starts, others, a, reach - 1, level, queue, b)
    found = level[b] >= 0
    for n in range(reached):
        level[queue[n]] = -1
    return found


@njit(cache=True)
def even_ring(
    starts: Integers, others: Integers, one: Integers, two: Integers, depth: int, level: Integers, queue: Integers
) -> int:
    """1 if the ring root, one[0..], atom, ..two[0] is primitive; opposite atoms stand `depth` bonds apart."""
    for k in range(depth - 1):
        if nearer(starts, others, one[k], two[depth - 2 - k], depth, level, queue):
            return 0
    return 1


@njit(cache=True)
def odd_ring(
    starts: Integers, others: Integers, one: Integers, two: Integers, depth: int, root: int, level: Integers,
    queue: Integers,
) -> int:  # fmt: skip
    """1 if the ring root, one[0..depth-1], two[depth-1..0] is primitive; each atom has two opposite ones."""
    for k in range(depth):
        if nearer(starts, others, one[k], two[depth - 1 - k], depth, level, queue):
            return 0
        if k < depth - 1 and nearer(starts, others, one[k], two[depth - 2 - k], depth, level, queue):
            return 0
    return 1
