"""The guard against voids: looks at the last frame of the stages that ask for it, while the run goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nvnmd.pcm.analysis.voids import find_voids
from nvnmd.pcm.protocol import MdSettings
from nvnmd.pcm.trajectory import last_frame


class VoidWatch:
    """Checks each stage once when it is over, notes what it found in `record["voids"]`, and says in `found` why a run
    must not go on."""

    def __init__(self, folder: Path, settings: MdSettings, record: dict[str, Any]) -> None:
        self.found = ""
        self._folder = folder
        self._limit_A = settings.max_void_radius_A
        self._notes: dict[str, Any] = record.setdefault("voids", {})
        asked = [stage for stage in settings.plan() if stage.settings.check_voids]
        self._waiting = [stage for stage in asked if stage.name not in self._notes]

    def look(self, step: int) -> bool:
        """Check the stages that are over at this step; true if one has too large a void."""
        while self._waiting and self._waiting[0].last_step <= step and not self.found:
            stage = self._waiting.pop(0)
            frame = last_frame(self._folder / stage.dump_file)
            voids = find_voids(frame)
            self._notes[stage.name] = {
                "step": frame.step,
                "fraction": voids.fraction,
                "largest_radius_A": voids.largest_radius_A,
                "largest_volume_A3": float(voids.volumes_A3[0]) if len(voids.volumes_A3) else 0.0,
            }
            if voids.largest_radius_A > self._limit_A:
                self.found = (
                    f"{self._folder}: after stage {stage.name!r} an empty sphere of {voids.largest_radius_A:.1f} A is "
                    f"larger than max_void_radius_A ({self._limit_A:g}); the density may be too low, or the potential "
                    "unfit for this state"
                )
        return bool(self.found)
