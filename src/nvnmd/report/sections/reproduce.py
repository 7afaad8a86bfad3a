"""The commands that make this run again."""

from __future__ import annotations

from pathlib import Path

from nvnmd.report.blocks import Commands, Missing, Section, Text
from nvnmd.report.run import Run


def reproduce(run: Run) -> Section:
    """What to type, from the settings that the run folder keeps."""
    section = Section("reproduce", "Reproduce")
    kept = [name for name in ("train/input.json", "md/md.yaml", "md/in.lmp") if run.path(name).exists()]
    section.blocks.append(
        Text("In the folder that holds the run folder, with the same versions and data as in the model card:")
    )
    section.blocks.append(Commands(_commands(run.folder.name)))
    if kept:
        section.blocks.append(Text(f"The run folder keeps {', '.join(kept)}; in.lmp is a complete LAMMPS input."))
    section.blocks += [
        Missing(what, name)
        for what, name in (
            ("the settings file of the training (its values are in the model card)", "train/input.json"),
            ("the settings of the molecular dynamics", "md/md.yaml"),
        )
        if not run.path(name).exists()
    ]
    return section


def _commands(name: str) -> str:
    run = Path(name)
    return "\n".join(
        [
            f"nvnmd train {run}/train/input.json -o {run}/train",
            f"nvnmd quantize {run}/train -o {run}/quantize",
            f"nvnmd evaluate {run}/train/model.safetensors -s {run}/train/input.json -o {run}/evaluate/float",
            f"nvnmd evaluate {run}/quantize/model.nvnmd -s {run}/train/input.json -o {run}/evaluate/integer",
            f"nvnmd md {run}/quantize/model.nvnmd -s {run}/md/md.yaml -o {run}/md",
            f"nvnmd report {run}",
        ]
    )
