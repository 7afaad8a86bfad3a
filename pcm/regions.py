"""Parts of the cell that a protocol freezes, heats or watches: boxes, cylinders and spheres, in A.

A region does not reach around the periodic faces; a cylinder centered on a face is therefore half of one.
"""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

Floats = NDArray[np.float64]
Axis = Literal["x", "y", "z"]
Positive = Annotated[float, Field(gt=0)]
Interval = tuple[float | None, float | None]
_AXES = ("x", "y", "z")


class _Region(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Box(_Region):
    """Between two planes on each axis; None means up to the end of the cell."""

    shape: Literal["box"] = "box"
    x_A: Interval = (None, None)
    y_A: Interval = (None, None)
    z_A: Interval = (None, None)

    @model_validator(mode="after")
    def _ordered(self) -> Box:
        for axis, (low, high) in zip(_AXES, self._intervals(), strict=True):
            if low is not None and high is not None and low >= high:
                raise ValueError(f"{axis}_A goes from {low:g} down to {high:g}; give the lower end first")
        return self

    def _intervals(self) -> tuple[Interval, Interval, Interval]:
        return self.x_A, self.y_A, self.z_A

    def contains(self, positions: Floats) -> NDArray[np.bool_]:
        """Which positions [n, 3] are inside [n]."""
        inside = np.ones(len(positions), dtype=bool)
        for axis, (low, high) in enumerate(self._intervals()):
            inside &= positions[:, axis] >= (-np.inf if low is None else low)
            inside &= positions[:, axis] <= (np.inf if high is None else high)
        return inside

    def lammps(self) -> str:
        """Arguments of LAMMPS's `region` command after the name."""
        ends = ("INF" if end is None else f"{end:.6g}" for interval in self._intervals() for end in interval)
        return f"block {' '.join(ends)} units box"


class Cylinder(_Region):
    """Around an axis of the cell; center_A: on the two other axes, in the order x, y, z."""

    shape: Literal["cylinder"] = "cylinder"
    axis: Axis = "y"
    center_A: tuple[float, float]
    radius_A: Positive

    def contains(self, positions: Floats) -> NDArray[np.bool_]:
        """Which positions [n, 3] are inside [n]."""
        others = [k for k, name in enumerate(_AXES) if name != self.axis]
        return np.asarray(np.linalg.norm(positions[:, others] - self.center_A, axis=1) <= self.radius_A)

    def lammps(self) -> str:
        """Arguments of LAMMPS's `region` command after the name."""
        # LAMMPS wants the center as (y, z), (x, z) or (x, y).
        return (
            f"cylinder {self.axis} {self.center_A[0]:.6g} {self.center_A[1]:.6g} {self.radius_A:.6g} INF INF units box"
        )


class Sphere(_Region):
    """A sphere."""

    shape: Literal["sphere"] = "sphere"
    center_A: tuple[float, float, float]
    radius_A: Positive

    def contains(self, positions: Floats) -> NDArray[np.bool_]:
        """Which positions [n, 3] are inside [n]."""
        return np.asarray(np.linalg.norm(positions - self.center_A, axis=1) <= self.radius_A)

    def lammps(self) -> str:
        """Arguments of LAMMPS's `region` command after the name."""
        return f"sphere {' '.join(f'{x:.6g}' for x in (*self.center_A, self.radius_A))} units box"


Region = Annotated[Box | Cylinder | Sphere, Field(discriminator="shape")]
