"""The commands that make this run again."""

from __future__ import annotations

import shlex
from pathlib import Path

from nvnmd.recipe import RecipeError, read_recipe
from nvnmd.report.blocks import Block, Commands, Missing, Section, Text
from nvnmd.report.run import Run


def reproduce(run: Run) -> Section:
    """What to type: the stages of the recipe that this folder belongs to, or else the commands in their usual order."""
    section = Section("reproduce", "Reproduce")
    section.blocks += _of_recipe(run.folder.resolve()) or _step_by_step(run)
    kept = [name for name in ("train/input.json", "md/md.yaml", "md/in.lmp") if run.path(name).exists()]
    if kept:
        section.blocks.append(Text(f"The run folder keeps {', '.join(kept)}. Versions and hashes: see the model card."))
    return section


def _of_recipe(folder: Path) -> list[Block]:
    """The commands of `stages.yaml` beside the run folder, if its results go to this folder."""
    try:
        recipe = read_recipe(folder.parent / "stages.yaml")
    except RecipeError:
        return []
    if recipe.output != folder.name:
        return []
    commands = [shlex.join(["nvnmd", *stage.run]) for stage in recipe.stages.values()]
    return [
        Text(f"All of it: nvnmd demo {folder.parent.name}. Stage by stage, in the folder {folder.parent.name}:"),
        Commands("\n".join(commands)),
    ]


def _step_by_step(run: Run) -> list[Block]:
    name = run.folder.resolve().name
    settings = f"{name}/train/input.json"
    commands = [
        f"nvnmd train {settings} -o {name}/train",
        f"nvnmd quantize {name}/train -o {name}/quantize",
        f"nvnmd evaluate {name}/train/model.safetensors -s {settings} -o {name}/evaluate/float",
        f"nvnmd evaluate {name}/quantize/model.nvnmd -s {settings} -o {name}/evaluate/integer",
        f"nvnmd md {name}/quantize/model.nvnmd -s {name}/md/md.yaml -o {name}/md",
        f"nvnmd report {name}",
    ]
    missing: list[Block] = [
        Missing(what, name)
        for what, name in (
            ("the settings file of the training (its values are in the model card)", "train/input.json"),
            ("the settings of the molecular dynamics", "md/md.yaml"),
        )
        if not run.path(name).exists()
    ]
    return [Text("In the folder that holds the run folder:"), Commands("\n".join(commands)), *missing]
