"""Active sets: training atoms that span what a model has learned, and the grade of others (docs/uncertainty.md).

D-optimality as in moment tensor potentials and ACE (Podryabinkin & Shapeev, Comput. Mater. Sci. 140, 171 (2017);
Lysogorskiy et al., Phys. Rev. Materials 7, 043801 (2023)). The energy of an atom is linear in the activations of the
last hidden layer and a constant, so the regression is theirs with these as basis functions, for each element alone.
"""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass, field
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nvnmd.host._core import Error

CONSTANT = 1 << 14
"""Last feature of every atom: the bias of the output row, at the magnitude of activations."""

RESOLUTION = 16
"""Directions in which atoms differ by less (in units of the last digit) count as constant: rounding lies below."""

VERSION, KEY = 1, "nvnmd-gamma"
FROM_START, NO_ATOM = -1, -2


@dataclass(frozen=True)
class ActiveSet:
    """Active rows of every element. A feature row is the last hidden activations (h, 2^14), n = width + 1 words.

    Attributes:
        type_map: elements, as in the model.
        model_sha256: of the model file that the activations are of.
        rows: per type int16 [n, n]; a row that no atom has taken is RESOLUTION in one place, zero elsewhere.
        inverse: per type float64 [n, n], of `rows`.
        origin: per type int64 [n, 2]: frame (from 0, in the order given) and atom of each row; frame -1: it was in the
            set that was extended; -2: no atom.
        provenance: any JSON object.
    """

    type_map: tuple[str, ...]
    model_sha256: str
    rows: tuple[NDArray[np.int16], ...]
    inverse: tuple[NDArray[np.float64], ...]
    origin: tuple[NDArray[np.int64], ...]
    provenance: dict[str, Any] = field(default_factory=dict)

    @property
    def active(self) -> dict[str, int]:
        """Rows taken by atoms, by element; of width + 1."""
        return {name: int((o[:, 0] != NO_ATOM).sum()) for name, o in zip(self.type_map, self.origin, strict=True)}

    def frames(self) -> list[int]:
        """Frames, in the order given when the set was built or extended, with an atom in the active set."""
        taken = np.concatenate([origin[:, 0] for origin in self.origin])
        return sorted({int(frame) for frame in taken if frame >= 0})

    def grades(self, kind: int, hidden: NDArray[np.int16]) -> NDArray[np.float64]:
        """Extrapolation grades [m] of atoms of one type from their activations [m, width].

        The same as ``Potential.compute(..., gamma=True)`` up to rounding.
        """
        return np.asarray(np.abs(features(hidden) @ self.inverse[kind]).max(axis=1, initial=0.0))

    def save(self, path: str | PathLike[str]) -> None:
        """Write the set atomically, as ``nvnmd.host`` and ``pair_style nvnmd`` read it.

        Raises:
            OSError: the folder cannot be written.
        """
        from safetensors.numpy import save

        tensors: dict[str, NDArray[Any]] = {}
        for kind in range(len(self.type_map)):
            tensors[f"rows.{kind}"] = self.rows[kind]
            tensors[f"inverse.{kind}"] = np.ascontiguousarray(self.inverse[kind])
            tensors[f"origin.{kind}"] = self.origin[kind]
        head = {"version": VERSION, "type_map": list(self.type_map), "model_sha256": self.model_sha256}
        head["provenance"] = self.provenance
        _write(Path(path), save(tensors, metadata={KEY: json.dumps(head, sort_keys=True)}))

    @classmethod
    def load(cls, path: str | PathLike[str]) -> ActiveSet:
        """Read a set, for a look at it or to extend it; ``Potential`` checks that it belongs to its model.

        Raises:
            Error: missing, damaged, or no active set.
        """
        from safetensors import SafetensorError, safe_open

        if not Path(path).is_file():
            raise active_set_error(f"{fspath(path)}: no such active set; 'nvnmd gamma MODEL --data FRAMES' writes one")
        try:
            with safe_open(fspath(path), framework="np") as file:
                head = json.loads((file.metadata() or {})[KEY])
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
            if head["version"] != VERSION:
                raise ValueError(f"version {head['version']}, this release reads version {VERSION}; update nvnmd")
            rows, inverse, origin = (
                tuple(tensors[f"{name}.{kind}"] for kind in range(len(head["type_map"])))
                for name in ("rows", "inverse", "origin")
            )
            for r, i, o in zip(rows, inverse, origin, strict=True):
                if not (r.shape == i.shape == (len(r), len(r)) and o.shape == (len(r), 2)):
                    raise ValueError("the shapes of its tensors disagree")
            return cls(tuple(head["type_map"]), head["model_sha256"], rows, inverse, origin, head["provenance"])
        except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
            text = f"{fspath(path)}: not an active set, or damaged ({error}); 'nvnmd gamma' writes one"
            raise active_set_error(text) from error


def active_set_path(model: str | PathLike[str]) -> Path:
    """Where the active set of a model is looked for: beside it, with the ending ``.gamma``."""
    return Path(model).with_suffix(".gamma")


def features(hidden: NDArray[np.int16]) -> NDArray[np.float64]:
    """Feature rows [m, width + 1] of last hidden activations [m, width]."""
    return np.column_stack([hidden.astype(np.float64), np.full(len(hidden), float(CONSTANT))])


def active_set_error(message: str) -> Error:
    """An error about an active set, with its code."""
    error = Error(message)
    error.code = "active_set"
    return error


def _write(path: Path, content: bytes) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        mask = os.umask(0)
        os.umask(mask)
        Path(temporary).chmod(0o666 & ~mask)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
