"""A committee as an ASE calculator: the first model moves the atoms, all of them say how far they agree."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from ase.calculators.calculator import Calculator, all_changes

from nvnmd.training.deviation import Deviation, DeviationError, deviation, deviation_text
from nvnmd.training.evaluation import Predicted


class CommitteeCalculator(Calculator):  # type: ignore[misc]
    """Results of the first of several calculators, and the deviation of all.

    After each calculation `last` holds the deviation, and `results["force_deviation"]` that of each atom, [n_atoms]
    eV/angstrom.

    Args:
        members: two or more ASE calculators with stress, such as `DeepPotCalculator` or `nvnmd.host.NvnmdCalculator`.

    Raises:
        DeviationError: fewer than two members.
    """

    implemented_properties: ClassVar[list[str]] = ["energy", "free_energy", "forces", "stress"]

    def __init__(self, members: Sequence[Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if len(members) < 2:
            raise DeviationError("the deviation of a committee needs at least two models")
        self.members = list(members)
        self.last: Deviation | None = None

    def calculate(self, atoms: Any = None, properties: Any = ("energy",), system_changes: Any = all_changes) -> None:
        """Fill `results`; called by ASE."""
        super().calculate(atoms, properties, system_changes)
        wanted = [name for name in self.implemented_properties if name != "stress" or self.atoms.pbc.all()]
        for member in self.members:
            member.calculate(self.atoms, wanted, all_changes)
        self.last = deviation([self._predicted(member.results) for member in self.members])
        self.results = {name: self.members[0].results[name] for name in wanted}
        self.results["force_deviation"] = self.last.force[0]

    def _predicted(self, results: dict[str, Any]) -> Predicted:
        virial = np.zeros((3, 3))
        if "stress" in results:
            xx, yy, zz, yz, xz, xy = -results["stress"] * self.atoms.get_volume()
            virial = np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])
        return Predicted(np.array([results["energy"]]), results["forces"][None], virial[None])


class DeviationLog:
    """Writes a committee's deviation during a run, in the form of DeePMD-kit's `model_devi.out`.

    Attach it to dynamics of ASE: `dynamics.attach(DeviationLog(committee, path, dynamics.get_number_of_steps), 100)`.

    Args:
        committee: the calculator of the run.
        path: file to begin; each line is on disk once it is written.
        step: gives the number of the step.
        atomic: add the force deviation of each atom.
    """

    def __init__(self, committee: CommitteeCalculator, path: Path, step: Any, atomic: bool = False) -> None:
        self.committee, self.path, self.step, self.atomic = committee, path, step, atomic
        self._begun = False

    def __call__(self) -> None:
        """Write one line for the structure that was calculated last.

        Raises:
            DeviationError: nothing has been calculated yet.
        """
        if self.committee.last is None:
            raise DeviationError("the committee has calculated nothing yet")
        text = deviation_text(self.path.stem, self.committee.last, atomic=self.atomic, first=int(self.step()))
        with self.path.open("a" if self._begun else "w", encoding="utf-8") as file:
            file.write(text.splitlines(keepends=True)[-1] if self._begun else text)
        self._begun = True
