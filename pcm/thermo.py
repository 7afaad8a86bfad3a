"""Reading LAMMPS's log: thermodynamic rows and loop times by stage, from a whole file or while it grows."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nvnmd.pcm.errors import PcmError
from nvnmd.pcm.marks import EARLY_MARK, SESSION_MARK, STAGE_MARK

COUNTER = "clipped"
_LOOP = re.compile(r"Loop time of (\S+) on (\d+) procs for (\d+) steps with (\d+) atoms")


@dataclass(frozen=True)
class LoopTime:
    """Wall time in s of one `run` of a stage, as LAMMPS measured it."""

    stage: str
    wall_s: float
    ranks: int
    steps: int
    atoms: int


@dataclass
class ThermoLog:
    """Rows of a log in order of step; a continued run replaces the rows it repeats.

    columns: names as LAMMPS prints them (Step, Time, Temp, Press, PotEng, ...); rows: one list of floats per row;
    stages: stage of each row; loops: the timed runs; stage: the one being read; early: step at which a condition ended
    a stage, by stage.

    Counters (columns that begin with "clipped") start at zero with every session, that is, every start of LAMMPS; the
    rows hold their totals over all sessions.
    """

    columns: list[str] = field(default_factory=list)
    rows: list[list[float]] = field(default_factory=list)
    stages: list[str] = field(default_factory=list)
    loops: list[LoopTime] = field(default_factory=list)
    stage: str = ""
    early: dict[str, int] = field(default_factory=dict)
    _in_table: bool = False
    _new_session: bool = True
    _before: dict[int, float] = field(default_factory=dict)

    def feed(self, lines: Iterable[str]) -> None:
        """Take further lines of the log. Rows before the first stage (a minimization) are not part of the run."""
        for line in lines:
            words = line.split()
            if line.startswith(STAGE_MARK):
                self.stage = words[-1]
            elif line.startswith(EARLY_MARK):
                self.early[words[-2]] = int(words[-1])
            elif line.startswith(SESSION_MARK):
                self._new_session = True
            elif words[:1] == ["Step"]:
                self._in_table, self.columns = bool(self.stage), words
            elif line.startswith("Loop time"):
                self._in_table = False
                self._add_loop(line)
            elif self._in_table:
                self._add_row(words)

    def _add_loop(self, line: str) -> None:
        found = _LOOP.match(line)
        if found and self.stage:
            wall, ranks, steps, atoms = found.groups()
            self.loops.append(LoopTime(self.stage, float(wall), int(ranks), int(steps), int(atoms)))

    def _add_row(self, words: list[str]) -> None:
        try:
            row = [float(word) for word in words]
        except ValueError:  # a warning between two rows
            return
        if len(row) != len(self.columns):
            return
        replaced = None
        while self.rows and self.rows[-1][0] >= row[0]:
            replaced = self.rows.pop()
            self.stages.pop()
        if self._new_session:
            self._continue_counters(row, replaced)
        for index, before in self._before.items():
            row[index] += before
        self.rows.append(row)
        self.stages.append(self.stage)

    def _continue_counters(self, row: list[float], replaced: list[float] | None) -> None:
        """What the earlier sessions counted up to the first row of a new one; that step itself counts once."""
        self._new_session = False
        counters = [index for index, name in enumerate(self.columns) if name.startswith(COUNTER)]
        if replaced is not None and replaced[0] == row[0]:
            self._before = {index: replaced[index] - row[index] for index in counters}
        else:
            self._before = {index: self.rows[-1][index] if self.rows else 0.0 for index in counters}

    @property
    def step(self) -> int:
        """Step of the last row, 0 before the first."""
        return int(self.rows[-1][0]) if self.rows else 0

    def last(self, column: str) -> float:
        """Value of the last row in a column, NaN before the first row."""
        return self.rows[-1][self.columns.index(column)] if self.rows else float("nan")

    def column(self, name: str) -> NDArray[np.float64]:
        """All values of a column, [rows]; raises PcmError if the log has no such column."""
        if name not in self.columns:
            raise PcmError(f"the log has no column {name!r}; it has {', '.join(self.columns) or 'no rows at all'}")
        index = self.columns.index(name)
        return np.array([row[index] for row in self.rows])


def counted(log: ThermoLog, name: str) -> dict[str, int]:
    """What a counter has counted in each stage."""
    total: dict[str, int] = {}
    for gain, stage in zip(np.diff(log.column(name), prepend=0.0), log.stages, strict=True):
        total[stage] = total.get(stage, 0) + int(gain)
    return total


class LogTail:
    """Follows a growing log file and feeds complete new lines to a ThermoLog."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.log = ThermoLog()
        self._offset = 0

    def poll(self) -> ThermoLog:
        """Read what has been written since the last call."""
        if self.path.exists():
            with self.path.open("rb") as file:
                file.seek(self._offset)
                text = file.read()
            complete = text.rfind(b"\n") + 1
            self._offset += complete
            self.log.feed(text[:complete].decode(errors="replace").splitlines())
        return self.log


def read_log(path: Path) -> ThermoLog:
    """Parse a whole log; raises PcmError if the file does not exist."""
    if not path.exists():
        raise PcmError(f"{path}: there is no such log; has the run started?")
    return LogTail(path).poll()
