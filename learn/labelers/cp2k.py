"""CP2K by its command line: an input from a template, one process a frame, and its output read back."""

from __future__ import annotations

import hashlib
import math
import os
import re
import shlex
import shutil
import subprocess
import time
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nvnmd.learn.errors import LabelError, LearnError, QueueError
from nvnmd.learn.labeled import Labels
from nvnmd.learn.labelers.base import LabelSettings
from nvnmd.learn.leash import leashed
from nvnmd.training.cp2k_output import read_cp2k
from nvnmd.training.system import FramesError

if TYPE_CHECKING:
    from ase import Atoms

INPUT, OUTPUT = "cp2k.inp", "cp2k.out"
BASIS = "DZVP-MOLOPT-SR-GTH"
VALENCE = {"N": 5, "O": 6, "Si": 4, "Ti": 12, "Ge": 4, "Sb": 5, "Te": 6}
"""Electrons of the GTH-PBE pseudopotentials of the shipped template, by element."""


class Cp2kLabeler:
    """Labels of CP2K. The template's words between @ are filled in: CELL, COORD, KINDS, KPOINTS, PROJECT."""

    label = "dft"

    def __init__(self, settings: LabelSettings) -> None:
        self._settings = settings
        self._command = shlex.split(settings.command)
        if shutil.which(self._command[0]) is None:
            raise LearnError(
                f"{self._command[0]} is not installed; install it with: apt install cp2k, or name it with command"
            )
        self._template = _read_template(settings.template)
        self._template_hash = hashlib.sha256(self._template.encode()).hexdigest()
        self.reference = settings.reference or f"cp2k {self._template_hash[:12]}"

    def run(self, atoms: Atoms, folder: Path) -> Labels:
        """See `Labeler.run`."""
        if not atoms.pbc.all():
            raise LabelError("CP2K's template is for periodic cells; put a cluster into a large one")
        text = cp2k_input(self._template, atoms, self._settings)
        (folder / INPUT).write_text(text, encoding="utf-8")
        started, code, cpu_s = time.monotonic(), *self._call(folder)
        output = folder / OUTPUT
        try:
            system = read_cp2k(output, "frame")
        except FramesError as error:
            raise LabelError(_reason(output, code, str(error))) from None
        if system.positions.shape[1] != len(atoms) or system.symbols != atoms.get_chemical_symbols():
            raise LabelError(f"{OUTPUT} holds other atoms than {INPUT}; is @COORD@ in the template?")
        if np.abs(system.cells[0] - atoms.cell.array).max() > 2e-3:
            raise LabelError(f"{OUTPUT} holds another cell than {INPUT}; is @CELL@ in the template?")
        record = {"code": "cp2k", "version": _version(output), "teacher": False}
        record |= {"input_sha256": hashlib.sha256(text.encode()).hexdigest(), "template_sha256": self._template_hash}
        record |= {"scf_steps": _scf_steps(output), "cpu_s": cpu_s, "wall_s": round(time.monotonic() - started, 1)}
        virial = None if system.virials is None else system.virials[0]
        return Labels(float(system.energies[0]), system.forces[0], virial, record)

    def _call(self, folder: Path) -> tuple[int, float]:
        """Exit code and CPU seconds of CP2K in a folder; it dies with this process, and is killed when it is late."""
        limit_s = 60 * self._settings.max_minutes
        with (folder / OUTPUT).open("wb") as out:
            process = subprocess.Popen(
                leashed([*self._command, "-i", INPUT]),
                cwd=folder,
                stdout=out,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env={"OMP_NUM_THREADS": "1", **os.environ},
            )
            before = os.times()
            try:
                process.wait(limit_s)
            except subprocess.TimeoutExpired:
                minutes = self._settings.max_minutes
                raise LabelError(f"CP2K took longer than max_minutes ({minutes:g}) and was ended") from None
            finally:
                if process.poll() is None:
                    process.kill()
                    process.wait()
        after = os.times()
        spent = after.children_user + after.children_system - before.children_user - before.children_system
        return process.returncode, round(spent, 1)


def cp2k_input(template: str, atoms: Atoms, settings: LabelSettings) -> str:
    """Text of the input for a structure; six decimals for cell and coordinates.

    Raises:
        QueueError: an element without basis set and potential.
    """

    def line(name: str, vector: Any) -> str:
        return f"      {name} {vector[0]:.6f} {vector[1]:.6f} {vector[2]:.6f}"

    symbols = atoms.get_chemical_symbols()
    words = {
        "PROJECT": "frame",
        "CELL": "\n".join(line(*pair) for pair in zip("ABC", atoms.cell.array, strict=True)),
        "COORD": "\n".join(line(*pair) for pair in zip(symbols, atoms.positions, strict=True)),
        "KINDS": "".join(_kind(element, settings) for element in dict.fromkeys(symbols)),
        "KPOINTS": " ".join(str(n) for n in kpoints(atoms, settings.kpoint_spacing)),
    }
    for word, text in words.items():
        template = template.replace(f"@{word}@", text)
    return template


def kpoints(atoms: Atoms, spacing: float) -> tuple[int, int, int]:
    """Points along each reciprocal vector so that none are farther apart than `spacing`, 1/angstrom (2 pi included)."""
    lengths = 2 * math.pi * np.linalg.norm(np.linalg.inv(atoms.cell.array), axis=0)
    a, b, c = (max(1, math.ceil(length / spacing - 1e-6)) for length in lengths)
    return a, b, c


def _kind(element: str, settings: LabelSettings) -> str:
    given = settings.kinds.get(element)
    if given is None and element not in VALENCE:
        raise QueueError(
            f"no basis set and potential are known for {element}; name them in label.kinds, as in "
            f"{{{element}: {{basis: {BASIS}, potential: GTH-PBE-q4}}}}"
        )
    basis = given.basis if given else BASIS
    potential = given.potential if given else f"GTH-PBE-q{VALENCE[element]}"
    return f"    &KIND {element}\n      BASIS_SET {basis}\n      POTENTIAL {potential}\n    &END\n"


def _read_template(path: str | None) -> str:
    if path is None:
        return (files("nvnmd.learn.labelers") / "cp2k-pbe.inp").read_text(encoding="utf-8")
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise LearnError(f"{path}: cannot be read as a CP2K template ({error})") from None
    for word in ("@CELL@", "@COORD@"):
        if word not in text:
            raise LearnError(f"{path}: a CP2K template holds {word}, where each structure is filled in")
    return text


def _reason(output: Path, code: int, message: str) -> str:
    """Why a run gave no label, in one sentence without the path of the job."""
    text = output.read_text(errors="replace")
    if "No space left on device" in text:
        raise QueueError("CP2K found no space left on the disk; free some and give the same command again")
    if "SCF run NOT converged" in text:
        return "the SCF did not converge"
    if code != 0 or "PROGRAM ENDED AT" not in text:
        found = re.findall(r"\*\s+(?:\[ABORT\]|\\___/)\s*(.*?)\s*\*?$|^\s*ERROR[: ](.*)$", text, re.MULTILINE)
        said = next((" ".join("".join(words).split()) for words in found if "".join(words).strip(" *")), "")
        return f"CP2K ended with exit code {code}{': ' + said if said else ' and no word of why'}"
    return message.removeprefix(f"{output}: ")


def _version(output: Path) -> str:
    found = re.search(r"CP2K\| version string:\s+CP2K version (\S+)", output.read_text(errors="replace"))
    return found[1] if found else "unknown"


def _scf_steps(output: Path) -> int | None:
    found = re.search(r"SCF run converged in\s+(\d+) steps", output.read_text(errors="replace"))
    return int(found[1]) if found else None
