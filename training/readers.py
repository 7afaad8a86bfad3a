"""One reader a format; dpdata and ASE do the parsing, we add what they leave out and say where something is wrong."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nvnmd.training.cp2k_output import read_cp2k
from nvnmd.training.deepmd_folder import check_folder, check_types
from nvnmd.training.extxyz import read_extxyz
from nvnmd.training.frame_files import Source
from nvnmd.training.system import FramesError, System

logger = logging.getLogger(__name__)


def read_source(source: Source, type_map: Sequence[str] | None = None) -> list[System]:
    """Every system of one source, with its own type map and its data set; unchecked.

    Args:
        source: where to read.
        type_map: element symbols for deepmd folders that have no type_map.raw.

    Raises:
        FramesError: the source is damaged, or lacks energies or forces.
    """
    return [replace(s, dataset=_dataset(source, s.label)) for s in _read(source, type_map)]


def _dataset(source: Source, label: str) -> str:
    """Labels of different origin never share an energy reference."""
    return source.dataset if label == "dft" else f"{source.dataset} ({label})"


def _read(source: Source, type_map: Sequence[str] | None) -> list[System]:
    if source.format == "extxyz":
        return read_extxyz(source.path, source.name)
    if source.format == "cp2k/output":
        return [read_cp2k(source.path, source.name)]
    if source.format.startswith("deepmd"):
        return _read_deepmd(source, type_map)
    return [system_from_dpdata(_load(source), source.name)]


def system_from_dpdata(data: dict[str, Any], name: str, label: str = "dft") -> System:
    """A system from the data dictionary of a `dpdata.LabeledSystem` with at least one frame."""
    virials = data.get("virials")
    return System(
        name=name,
        type_map=tuple(str(element) for element in data["atom_names"]),
        types=np.asarray(data["atom_types"], dtype=np.int64),
        cells=_float64(data["cells"]),
        positions=_float64(data["coords"]),
        energies=_float64(data["energies"]).reshape(-1),
        forces=_float64(data["forces"]),
        virials=None if virials is None else _float64(virials),
        periodic=not data.get("nopbc", False),
        label=label,
    )


def _read_deepmd(source: Source, type_map: Sequence[str] | None) -> list[System]:
    check_folder(source.path, source.format)
    label_file = source.path / "label.raw"
    label = label_file.read_text().strip() if label_file.exists() else "dft"
    if source.format == "deepmd/npy/mixed":
        import dpdata

        parts = dpdata.MultiSystems().load_systems_from_file(str(source.path), fmt=source.format)
        systems = [system_from_dpdata(part.data, source.name, label) for part in parts.systems.values()]
        return [s if len(systems) == 1 else _renamed(s) for s in systems]
    check_types(source.path, type_map)
    options = {} if (source.path / "type_map.raw").exists() else {"type_map": list(type_map or ())}
    return [system_from_dpdata(_load(source, **options), source.name, label)]


def _renamed(system: System) -> System:
    return replace(system, name=f"{system.name}/{system.formula}")


def _load(source: Source, **options: Any) -> dict[str, Any]:
    """Data dictionary of one file or folder as dpdata reads it; its warnings go to our log."""
    import dpdata

    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            data = dpdata.LabeledSystem(str(source.path), fmt=source.format, **options).data
    except Exception as error:  # dpdata lets parsing errors of every kind through
        text = str(error) or type(error).__name__
        raise FramesError(f"{source.path}: dpdata cannot read it as {source.format}: {text}") from error
    for warning in caught:
        if issubclass(warning.category, UserWarning):
            logger.warning("%s: %s", source.path, warning.message)
    if len(data["cells"]) == 0:
        raise FramesError(f"{source.path}: no converged frame in it")
    _same_length(data, source.path)
    return data


def _same_length(data: dict[str, Any], path: Path) -> None:
    counts = {key: len(data[key]) for key in ("cells", "coords", "energies", "forces", "virials") if key in data}
    if len(set(counts.values())) > 1:
        text = ", ".join(f"{n} {key}" for key, n in counts.items())
        raise FramesError(f"{path}: arrays of different lengths ({text}); was the calculation cut off?")


def _float64(values: Any) -> NDArray[np.float64]:
    return np.ascontiguousarray(values, dtype=np.float64)
