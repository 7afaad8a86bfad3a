"""Any ASE calculator as a teacher."""

from __future__ import annotations

import hashlib
import importlib
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nvnmd.learn.errors import LabelError, LearnError, QueueError
from nvnmd.learn.labeled import Labels
from nvnmd.learn.labelers.base import LabelSettings
from nvnmd.training.files import file_digest
from nvnmd.training.frame_checks import HARTREE_PER_BOHR, KCAL_PER_MOL

if TYPE_CHECKING:
    from ase import Atoms

BOHR_A, HARTREE_EV = 0.529177210903, 27.211386245988


@dataclass(frozen=True)
class Known:
    """A calculator with a short name: module and class, package to install, and what its first argument is called."""

    module: str
    factory: str
    package: str
    argument: str


TEACHERS = {
    "nep": Known("calorine.calculators", "CPUNEP", "calorine", "model_filename"),
    "nequix": Known("nvnmd.learn.labelers.nequix", "PaddedNequix", "nequix", "model_path"),
    "sevennet": Known("sevenn.calculator", "SevenNetCalculator", "sevenn", "model"),
}


def make_calculator(using: str, options: dict[str, Any] | None = None) -> Any:
    """An ASE calculator from its short name or from where it is defined.

    Args:
        using: `nep:FILE`, `nequix:FILE`, `sevennet:MODEL`, or `package.module:factory` of any calculator.
        options: arguments of the factory.

    Raises:
        LearnError: a package or file that is missing, or a factory that cannot be called so.
    """
    name, _, rest = using.partition(":")
    known = TEACHERS.get(name)
    if known is None:
        if not rest:
            name, _, rest = using.rpartition(".")
        known = Known(name, rest, name.split(".")[0], "")
    arguments = {known.argument: _model(name, rest)} if known.argument else {}
    try:
        factory = getattr(importlib.import_module(known.module), known.factory)
    except ModuleNotFoundError as error:
        if str(error.name).split(".")[0] != known.package:
            raise LearnError(
                f"{using}: {known.module} needs {error.name}; install it with: pip install {error.name}"
            ) from None
        raise LearnError(
            f"{using}: the package {known.package} is not installed; install it with: pip install {known.package}"
        ) from None
    except AttributeError:
        raise LearnError(f"{using}: {known.module} has no {known.factory}") from None
    try:
        return factory(**arguments, **(options or {}))
    except Exception as error:  # whatever a foreign constructor raises
        raise LearnError(f"{using}: the calculator cannot be made ({type(error).__name__}: {error})") from None


def _model(name: str, rest: str) -> str:
    if not rest:
        raise LearnError(f"{name}: say which model, as in {name}:FILE")
    if name != "sevennet" and not Path(rest).is_file():
        raise LearnError(f"{name}:{rest}: there is no such file")
    return rest


class CalculatorLabeler:
    """Labels of an ASE calculator, marked as a teacher's unless the settings say that it is a DFT code."""

    def __init__(self, settings: LabelSettings) -> None:
        self._settings = settings
        self._calculator = make_calculator(settings.using, settings.options)
        kind, _, rest = settings.using.partition(":")
        name = settings.name or (Path(rest).stem if kind in TEACHERS else settings.using)
        self.label = "dft" if settings.dft else f"teacher:{name}"
        self.reference = settings.reference or name
        module = TEACHERS[kind].package if kind in TEACHERS else type(self._calculator).__module__
        self._origin = _origin(settings, module)
        self._probed = not settings.check_units

    def run(self, atoms: Atoms, folder: Path) -> Labels:
        """See `Labeler.run`."""
        del folder
        with _time_limit(self._settings.max_minutes):
            labels = self._evaluate(atoms)
            if not self._probed:
                check_slope(self._calculator, atoms, labels.forces, self._settings.using)
                self._probed = True
        return labels

    def _evaluate(self, atoms: Atoms) -> Labels:
        seen = atoms.copy()
        seen.calc = self._calculator
        try:
            energy, forces = float(seen.get_potential_energy()), np.array(seen.get_forces(), dtype=np.float64)
        except (QueueError, LabelError, MemoryError):
            raise
        except Exception as error:  # whatever a foreign calculator raises for a structure that it cannot treat
            raise LabelError(f"{self._settings.using}: {type(error).__name__}: {error}") from None
        return Labels(energy, forces, self._virial(seen), self._origin | {"input_sha256": structure_hash(atoms)})

    @staticmethod
    def _virial(seen: Atoms) -> Any:
        if not seen.pbc.all():
            return None
        from ase.calculators.calculator import PropertyNotImplementedError

        try:
            return -seen.get_volume() * np.array(seen.get_stress(voigt=False), dtype=np.float64)
        except (PropertyNotImplementedError, NotImplementedError):
            return None


def check_slope(calculator: Any, atoms: Atoms, forces: Any, name: str, step_A: float = 0.005) -> None:
    """Compare the energy along the forces with the forces: units that do not belong together show at once.

    Raises:
        QueueError: naming the suspected units.
    """
    norm = float(np.linalg.norm(forces))
    if norm < 1e-3 or not np.isfinite(norm):
        return
    energies = []
    for sign in (-1.0, 1.0):
        moved = atoms.copy()
        moved.positions += sign * step_A * forces / norm
        moved.calc = calculator
        energies.append(float(moved.get_potential_energy()))
    ratio = (energies[0] - energies[1]) / (2 * step_A * norm)
    if 0.9 < ratio < 1.1:
        return
    known = {
        1 / BOHR_A: "energies in hartree and forces in hartree/bohr?",
        1 / HARTREE_EV: "energies in hartree?",
        HARTREE_PER_BOHR: "forces in hartree/bohr?",
        1 / KCAL_PER_MOL: "energies in kcal/mol?",
        KCAL_PER_MOL: "forces in kcal/mol/A?",
    }
    nearest = min(known, key=lambda value: abs(np.log(max(ratio, 1e-9) / value)))
    guess = known[nearest] if 0.8 < ratio / nearest < 1.25 else "forces that are no derivative of the energy?"
    raise QueueError(
        f"{name}: along its own forces the energy falls by {ratio:.3g} times what they say ({guess}); wanted are eV, A "
        "and eV/A; with check_units off labels are taken as they are"
    )


@contextmanager
def _time_limit(minutes: float) -> Iterator[None]:
    """Raise LabelError after so many minutes, as soon as the calculator is back in Python."""

    def expired(number: int, frame: object) -> None:
        raise LabelError(f"took longer than max_minutes ({minutes:g}); raise it, or leave such frames out")

    try:
        before = signal.signal(signal.SIGALRM, expired)
    except ValueError:  # not the main thread, as inside some cluster engines, which have limits of their own
        yield
        return
    signal.setitimer(signal.ITIMER_REAL, 60 * minutes)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def structure_hash(atoms: Atoms) -> str:
    """SHA-256 over elements, cell, positions (six decimals) and periodicity, in hexadecimal."""
    digest = hashlib.sha256(" ".join(atoms.get_chemical_symbols()).encode())
    for array in (atoms.cell.array, atoms.positions):
        digest.update((np.round(array, 6) + 0.0).tobytes())
    digest.update(bytes(atoms.pbc.tolist()))
    return digest.hexdigest()


def _origin(settings: LabelSettings, module: str) -> dict[str, Any]:
    package = module.split(".")[0]
    distribution = packages_distributions().get(package, [package])[0]
    try:
        release = version(distribution)
    except PackageNotFoundError:
        release = "unknown"
    model = Path(settings.using.partition(":")[2])
    digest = file_digest(model) if model.is_file() else None
    found = {"code": distribution, "version": release, "teacher": not settings.dft, "using": settings.using}
    return found | ({"model_sha256": digest} if digest else {})
