"""What a run folder holds. Every part is read when it is first asked for; a part that is not there is None.

RUN/train/      input.json, lcurve.out, model.safetensors
RUN/quantize/   model.nvnmd, lcurve.out, stages.json
RUN/evaluate/   float/ and integer/, each with evaluation.json and predictions.npz
RUN/md/         md.yaml, in.lmp, log.lammps, md.json, *.lammpstrj
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nvnmd.pcm.thermo import ThermoLog, read_log
from nvnmd.report.errors import ReportError
from nvnmd.report.references import Reference

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Evaluation:
    """Errors and predictions of one model.

    errors: evaluation.json as written by `nvnmd evaluate`; arrays: `<system>/<quantity>_{dft,pred}` in eV and A.
    """

    errors: dict[str, Any]
    arrays: dict[str, NDArray[Any]]

    @property
    def parts(self) -> dict[str, dict[str, Any]]:
        """Errors of "train", "held out" and "new" frames, those that there are."""
        return dict(self.errors["parts"])

    @property
    def test_part(self) -> str:
        """The part that says most about frames the model has not seen."""
        return next((part for part in ("held out", "new") if part in self.parts), next(iter(self.parts)))


@dataclass(frozen=True)
class Curve:
    """A learning curve: columns by name as in `lcurve.out`, energies in eV/atom, forces in eV/A."""

    columns: dict[str, Floats]


class Run:
    """A run folder and the reference curves to compare it with."""

    def __init__(self, folder: Path, references: Sequence[Reference] = ()) -> None:
        if not folder.is_dir():
            raise ReportError(f"{folder}: there is no such run folder")
        self.folder = folder
        self.references = list(references)

    def path(self, name: str) -> Path:
        """A file of the run."""
        return self.folder / name

    def _read(self, name: str, reader: Callable[[Path], Any]) -> Any:
        path = self.path(name)
        if not path.exists():
            return None
        try:
            return reader(path)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ReportError(f"{path}: cannot be read ({error}); make it again, or move it away") from None

    def json(self, name: str) -> Any:
        """A JSON file of the run, None if it is not there."""
        return self._read(name, lambda path: json.loads(path.read_text(encoding="utf-8")))

    @cached_property
    def float_provenance(self) -> dict[str, Any] | None:
        """Settings, data and versions that the float model keeps."""
        from nvnmd.training.model_file import read_provenance

        provenance: dict[str, Any] | None = self._read("train/model.safetensors", read_provenance)
        return provenance

    @cached_property
    def integer_header(self) -> dict[str, Any] | None:
        """JSON metadata of the integer model."""
        from nvnmd.quantize.model_file import read_header

        header: dict[str, Any] | None = self._read("quantize/model.nvnmd", read_header)
        return header

    def learning_curve(self, stage: str) -> Curve | None:
        """`lcurve.out` of the stage "train" or "quantize"."""
        curve: Curve | None = self._read(f"{stage}/lcurve.out", _read_curve)
        return curve

    @cached_property
    def stage_errors(self) -> list[dict[str, Any]] | None:
        """Records of what rounding costs, stage by stage."""
        records: list[dict[str, Any]] | None = self.json("quantize/stages.json")
        return records

    @cached_property
    def evaluations(self) -> dict[str, Evaluation]:
        """Evaluations of the "float" and the "integer" model, those that there are."""
        found = {kind: self._read(f"evaluate/{kind}", _read_evaluation) for kind in ("float", "integer")}
        return {kind: evaluation for kind, evaluation in found.items() if evaluation is not None}

    @cached_property
    def md(self) -> dict[str, Any] | None:
        """The record of the molecular dynamics."""
        record: dict[str, Any] | None = self.json("md/md.json")
        return record

    @cached_property
    def thermo(self) -> ThermoLog | None:
        """Rows of the molecular dynamics' log."""
        log: ThermoLog | None = self._read("md/log.lammps", read_log)
        return log if log is not None and log.rows else None


def _read_curve(path: Path) -> Curve:
    lines = path.read_text(encoding="utf-8").splitlines()
    names = next(line for line in lines if line.startswith("#")).lstrip("#").split()
    rows = np.array([line.split() for line in lines if line and not line.startswith("#")], dtype=np.float64)
    if rows.ndim != 2 or rows.shape[1] != len(names):
        raise ValueError("its rows do not fit its head line")
    return Curve(dict(zip(names, rows.T, strict=True)))


def _read_evaluation(folder: Path) -> Evaluation | None:
    errors, arrays = folder / "evaluation.json", folder / "predictions.npz"
    if not errors.exists() or not arrays.exists():
        return None
    with np.load(arrays) as stored:
        return Evaluation(json.loads(errors.read_text(encoding="utf-8")), dict(stored))
