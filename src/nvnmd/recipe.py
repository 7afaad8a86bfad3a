"""A recipe: named stages, each a command of `nvnmd` with the files it reads and writes; none is repeated in vain."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from nvnmd.training.errors import NvnmdError
from nvnmd.training.files import file_digest, write_json

RECORD_FILE = "stages.json"


class RecipeError(NvnmdError, ValueError):
    """A recipe file that cannot be read, or a stage that did not write what it promised."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Stage(_Strict):
    """One stage. Paths are relative to the recipe's folder, and the command runs there."""

    run: tuple[str, ...] = Field(min_length=1, description="arguments of nvnmd, the command first")
    reads: tuple[str, ...] = Field((), description="files and folders whose contents decide whether to run again")
    writes: tuple[str, ...] = Field(min_length=1, description="files that exist once the stage is finished")
    resume_from: str | None = Field(None, description="file that a stopped run of this stage leaves behind")
    resume_with: tuple[str, ...] = Field((), description="arguments added when such a run is there, on the same inputs")
    afresh_with: tuple[str, ...] = Field((), description="arguments added otherwise, such as --overwrite")


class Recipe(_Strict):
    """The stages in the order they run, and the folder that their results go to."""

    output: str = Field("run", description="folder of the results, relative to the recipe's folder")
    stages: dict[str, Stage] = Field(min_length=1)


def read_recipe(path: Path) -> Recipe:
    """Read a recipe from YAML; raises RecipeError naming the file and the key."""
    import yaml

    try:
        return Recipe.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise RecipeError(f"{path} does not exist; give the folder of a recipe, such as examples/gete-demo") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise RecipeError(f"{path} cannot be read as a recipe: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        raise RecipeError(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None


def _files(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from sorted(p for p in path.rglob("*") if p.is_file() and "__pycache__" not in p.parts)
    else:
        yield path


def fingerprint(folder: Path, stage: Stage) -> str:
    """A hash over the stage's arguments and the contents of all that it reads (not times, which a clone makes new).

    Raises RecipeError when something it reads is missing.
    """
    digest = hashlib.sha256(json.dumps(stage.run).encode())
    for name in stage.reads:
        if not (folder / name).exists():
            raise RecipeError(f"{folder / name} does not exist, but `nvnmd {' '.join(stage.run)}` reads it")
        for path in _files(folder / name):
            digest.update(str(path.relative_to(folder / name)).encode())
            digest.update(bytes.fromhex(file_digest(path)))
    return digest.hexdigest()


class Record:
    """Which stages were started and finished, and on what: a JSON file beside their results, replaced atomically."""

    def __init__(self, folder: Path, recipe: Recipe) -> None:
        """Take up the record in the recipe's output folder; raises RecipeError when it is damaged."""
        self._folder = folder
        self._path = folder / recipe.output / RECORD_FILE
        self._stages: dict[str, dict[str, Any]] = {}
        if self._path.exists():
            try:
                self._stages = dict(json.loads(self._path.read_text(encoding="utf-8")))
            except ValueError as error:
                raise RecipeError(f"{self._path} is damaged ({error}); delete it to run all stages again") from None

    def is_finished(self, name: str, stage: Stage) -> bool:
        """Whether the stage ran to its end on the same inputs and all it wrote is still there."""
        if not all((self._folder / written).exists() for written in stage.writes):
            return False
        known = self._stages.get(name, {})
        return known.get("finished") is True and known["inputs"] == fingerprint(self._folder, stage)

    def start(self, name: str, stage: Stage) -> tuple[str, ...]:
        """Note that the stage starts now; returns its arguments, which resume a stopped run where that is possible."""
        inputs, known = fingerprint(self._folder, stage), self._stages.get(name, {})
        stopped = known.get("inputs") == inputs and known.get("finished") is False
        resumes = stopped and stage.resume_from is not None and (self._folder / stage.resume_from).exists()
        self._stages[name] = {"inputs": inputs, "finished": False}
        self._save()
        return stage.run + (stage.resume_with if resumes else stage.afresh_with)

    def finish(self, name: str, stage: Stage) -> None:
        """Mark the stage finished; raises RecipeError when something it promised is missing."""
        missing = [written for written in stage.writes if not (self._folder / written).exists()]
        if missing:
            raise RecipeError(f"stage {name} ended without an error but did not write {', '.join(missing)}")
        self._stages[name]["finished"] = True
        self._save()

    def forget(self, name: str) -> None:
        """Make the stage start afresh next time."""
        if self._stages.pop(name, None) is not None:
            self._save()

    def _save(self) -> None:
        write_json(self._path, self._stages)
