"""The stages of the integer model, as far as one of them can be computed in real arithmetic to see what it costs."""

from __future__ import annotations

STAGES = (
    "positions",
    "feature_table",
    "gate",
    "scalar_tables",
    "R",
    "X",
    "D",
    "weights",
    "z",
    "tanh",
    "H",
    "E",
    "gz",
    "grad",
    "Y",
    "A",
    "B",
    "V",
    "P",
    "F",
)
"""In the order of computation; ``weights`` are those of the fitting network with its biases."""

ALL = frozenset(STAGES)

Stages = frozenset[str]
