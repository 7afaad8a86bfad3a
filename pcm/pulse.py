"""Heat that a pulse brings and the surroundings take: settings, energies and an estimate of the temperature."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(gt=0)]

EV_PER_FJ = 6241.509074
"""Electronvolts in a femtojoule."""
K_B_EV = 8.617333262e-5
"""Boltzmann constant in eV/K."""
KINETIC_EV = 1.0364269657e-4
"""(g/mol) (A/ps)^2 in eV."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Gradient(_Strict):
    """Energy per atom that changes linearly along an axis, in slabs that each take their share exactly."""

    axis: Literal["x", "y", "z"] = "z"
    low_A: float = Field(0.0, description="where most energy goes")
    high_A: float | None = Field(
        None, description="where least goes; the cell's end, or the frozen part's, if left out"
    )
    end_over_start: Annotated[float, Field(ge=0)] = Field(
        0.0, description="energy per atom at high_A over that at low_A"
    )
    slabs: Count = 20

    def shares(self, high_A: float) -> list[tuple[float, float, float]]:
        """Lower and upper end in A and share of the energy of each slab, for a region of even density."""
        width = (high_A - self.low_A) / self.slabs
        weights = [1 + (self.end_over_start - 1) * (k + 0.5) / self.slabs for k in range(self.slabs)]
        total = sum(weights)
        return [(self.low_A + k * width, self.low_A + (k + 1) * width, w / total) for k, w in enumerate(weights)]


class Heat(_Strict):
    """Kinetic energy added evenly over a stage, in a region or along a gradient. Velocities are scaled (LAMMPS `fix
    heat`), so that the total is met and the momentum kept."""

    energy_fJ: Positive = Field(description="total over the stage")
    region: str | None = Field(None, description="name of the region that is heated; give this or gradient")
    gradient: Gradient | None = None
    every_steps: Count = Field(5, description="steps between two portions")

    @model_validator(mode="after")
    def _one_place(self) -> Heat:
        if (self.region is None) == (self.gradient is None):
            raise ValueError("heat needs either a region or a gradient")
        return self


class Dissipation(_Strict):
    """Kinetic energy above the ambient one is drained with a time constant, by the temperature of each atom's
    surroundings or of the atom itself (Zhou et al. 2025, note 3). Nothing is drained where it is colder."""

    ambient_K: Positive = 300.0
    time_ps: Positive = Field(10.0, description="time constant of the kinetic energy above the ambient one")
    by: Literal["cell", "atom"] = Field("cell", description="whose temperature counts")
    cell_A: Positive = Field(10.0, description="edge of the cells that temperatures are taken over")
    every_steps: Count = 5


def estimated_K(start_K: float, energy_eV: float, atoms: float) -> float:
    """Temperature that a solid of so many atoms reaches with this energy: 3 k_B each (Dulong and Petit), nothing lost
    to the surroundings or to melting. An upper bound for a pulse that lasts longer than heat takes to leave."""
    return start_K + energy_eV / (3 * K_B_EV * atoms)
