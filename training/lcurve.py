"""The learning curve in DeePMD-kit's `lcurve.out` form, and in TensorBoard."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from nvnmd.training.errors import NvnmdError


@dataclass(frozen=True)
class Errors:
    """Root-mean-square errors of a batch.

    Attributes:
        loss: square root of the loss; energy: eV/atom; force: eV/angstrom; virial: eV/atom or NaN.
    """

    loss: float
    energy: float
    force: float
    virial: float


class LearningCurve:
    """Writes one line per display step; lines after `resume_after` of an earlier run are dropped.

    Args:
        path: of the text file.
        validation: whether there are columns for validation frames.
        virial: whether there are columns for virials.
        resume_after: last step that counts, or None for a new file.
        log_dir: folder for TensorBoard, or None.
    """

    def __init__(
        self, path: Path, validation: bool, virial: bool, resume_after: int | None = None, log_dir: Path | None = None
    ) -> None:
        self._kinds = ["val", "trn"] if validation else ["trn"]
        self._quantities = ["", "_e", "_f", *(["_v"] if virial else [])]
        kept = _lines_until(path, resume_after) if resume_after is not None else []
        self._file = _open(path)
        self._file.writelines(kept or [self._header()])
        self._file.flush()
        self._board: Any = None
        if log_dir is not None:
            from torch.utils.tensorboard import SummaryWriter

            purge = None if resume_after is None else resume_after + 1
            self._board = SummaryWriter(str(log_dir), purge_step=purge)

    def write(self, step: int, train: Errors, validation: Errors | None, learning_rate: float) -> None:
        """Add a line."""
        values = {"trn": train, "val": validation}
        line = f"{step:7d}"
        for quantity, field in zip(self._quantities, ("loss", "energy", "force", "virial"), strict=False):
            line += "   " + " ".join(f"{getattr(values[kind], field):11.2e}" for kind in self._kinds)
            for kind in self._kinds if self._board is not None else ():
                self._board.add_scalar(f"rmse{quantity}/{kind}", getattr(values[kind], field), step)
        self._file.write(f"{line}   {learning_rate:8.1e}\n")
        self._file.flush()

    def close(self) -> None:
        """Close the files."""
        self._file.close()
        if self._board is not None:
            self._board.close()

    def _header(self) -> str:
        columns = "".join(
            "   " + " ".join(f"{f'rmse{quantity}_{kind}':>11s}" for kind in self._kinds)
            for quantity in self._quantities
        )
        return (
            f"#{'step':>6s}{columns}   {'lr':>8s}\n# energies and virials per atom; nan where the data have no label\n"
        )


def _open(path: Path) -> IO[str]:
    try:
        return path.open("w", encoding="utf-8")
    except OSError as error:
        raise NvnmdError(f"cannot write the learning curve {path}: {error.strerror}; choose another folder") from None


def _lines_until(path: Path, last: int) -> list[str]:
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    return [line for line in lines if line.startswith("#") or int(line.split()[0]) <= last]
