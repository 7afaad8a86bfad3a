"""One round of the loop, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nvnmd.learn.errors import LearnError
from nvnmd.learn.explore import Explorer
from nvnmd.learn.labeled import write_sets
from nvnmd.learn.queue import Queue
from nvnmd.learn.steps import Steps
from nvnmd.training.files import write_json

if TYPE_CHECKING:
    from ase import Atoms

    from nvnmd.learn.descriptors import StructureVectors
    from nvnmd.learn.loop import Loop
    from nvnmd.training.system import System

SELECTED = "selected.extxyz"


@dataclass
class Round:
    """A round.

    Attributes:
        loop: it belongs to; number: from 1 on (0: what is labeled before); folder: of the round.
        steps: done so far; before: the round before, whose model is gone on with.
    """

    loop: Loop
    number: int
    folder: Path
    steps: Steps
    before: Round | None

    @property
    def model(self) -> Path:
        """The integer model of this round."""
        return self.folder / "quantize" / "model.nvnmd"

    def float_model(self, member: int = 1) -> Path:
        """A float model of this round's committee, counted from 1."""
        return self.folder / f"train-{member}" / "model.safetensors"

    @property
    def data(self) -> Path:
        """Folder of the labeled frames that this round brought."""
        return self.loop.folder / "data" / f"round-{self.number:02d}"

    def run(self) -> None:
        """All steps that are not done yet."""
        self.make_model()
        self.steps.do("explore", self._explore)
        self.steps.do("select", self._select)
        self._queue_selected()
        self.label_and_merge()
        self.steps.do("judge", self._judge)

    def make_model(self) -> None:
        """Train the committee and quantize its first model."""
        committee = self.loop.settings.committee if self.folder.name != "final" else 1
        for member in range(1, committee + 1):
            self.steps.do(f"train-{member}", lambda member=member: self._train(member))  # type: ignore[misc]
        self.steps.do("quantize", self._quantize)

    def add(self, named: Sequence[tuple[str, Atoms, dict[str, Any]]], test: bool = False) -> None:
        """Put structures into the queue: (item, structure, where it is from)."""
        queue, part = self._queue(), "test" if test else "train"
        for number, (item, atoms, origin) in enumerate(named, 1):
            info = {"group": item, "part": part, "round": self.number, **origin}
            queue.add(f"{part}-{item}-{number:04d}", atoms, info)

    def label_and_merge(self) -> None:
        """Label what is in the queue and write the frames where the next training finds them."""
        self.steps.do("label", self._label)
        self.steps.do("merge", self._merge)

    def training_systems(self) -> list[str]:
        """Folders to train on in this round: the data given, and what the rounds before brought."""
        own = [f"../data/round-{n:02d}/train" for n in range(self.number)]
        return [*self.loop.settings.data, *(path for path in own if (self.folder / path).is_dir())]

    def summary(self) -> dict[str, Any]:
        """What the round did, as JSON values."""
        names = ("train-1", "quantize", "explore", "select", "label", "merge", "judge")
        found = {name: self.steps.do(name, dict) for name in names if self.steps.done(name)}
        return {"round": self.number, "name": self.folder.name, **found, "times": self.steps.times()}

    def _train(self, member: int) -> dict[str, Any]:
        settings, name = self.loop.settings, f"train-{member}"
        self.loop.tell(f"{self.folder.name}: training model {member}")
        before = self.before if self.before is not None and settings.train.again is not None else None
        seed = 1000 * settings.seed + member
        systems = self.training_systems()
        if not systems:
            raise LearnError("no frame got a label before the first round, so there is nothing to train on")
        write_json(self.folder / f"input-{member}.json", self.loop.inputs(systems, seed, before is not None))
        here, shared = self.folder.name, settings.train
        arguments = ["train", f"{here}/input-{member}.json", "-o", f"{here}/{name}"]
        arguments += ["--threads", str(shared.threads), "--device", shared.device]
        if (self.folder / name / "model.ckpt.pt").exists():
            arguments.append("--restart")
        elif before is not None:
            arguments += ["--init-model", f"{before.folder.name}/train-{member}/model.safetensors"]
        self.loop.command(arguments)
        return {"frames": _frames_of(self.float_model(member)), "systems": systems}

    def _quantize(self) -> dict[str, Any]:
        part, here = self.loop.settings.quantize, self.folder.name
        self.loop.tell(f"{here}: quantizing")
        arguments = ["quantize", f"{here}/train-1", "-o", f"{here}/quantize"]
        arguments += ["--threads", str(self.loop.settings.train.threads)]
        arguments += ["--steps", str(part.steps)] if part.steps else ["--no-finetune"]
        arguments += ["--max-neighbors", str(part.max_neighbors)] if part.max_neighbors else []
        arguments += ["--restart"] if (self.folder / "quantize" / "model.ckpt.pt").exists() else []
        self.loop.command(arguments)
        from nvnmd.quantize.model_file import load_model

        errors = load_model(self.model).provenance["errors"]
        return {kind: errors[kind]["parts"]["train"] for kind in ("float", "integer")}

    def _explorer(self) -> Explorer:
        settings = self.loop.settings
        seed = settings.seed * 1000 + self.number
        items = settings.items(self.number)
        return Explorer(items, self.model, tuple(settings.elements), self.folder / "explore", seed)

    def _explore(self) -> list[dict[str, Any]]:
        return self._explorer().run(lambda text: self.loop.tell(f"{self.folder.name}: {text}"))

    def _select(self) -> dict[str, Any]:
        from nvnmd.learn.candidates import choose
        from nvnmd.learn.descriptors import StructureVectors
        from nvnmd.learn.selected import write_selected
        from nvnmd.learn.uncertainty import make_uncertainty

        settings = self.loop.settings
        self.loop.tell(f"{self.folder.name}: choosing frames")
        members = [self.float_model(k) for k in range(1, settings.committee + 1)]
        vectors = StructureVectors(self.float_model())
        systems = self._load_training()
        uncertainty = make_uncertainty(settings.select.by, members, self.model, systems)
        known = self._known_vectors(vectors, systems)
        chosen, summary = choose(self._explorer(), settings.elements, uncertainty, vectors, known, settings.select)
        write_selected(self.folder / SELECTED, chosen)
        return summary

    def _load_training(self) -> list[System]:
        from nvnmd.training.frames import load_systems

        paths = [path if Path(path).is_absolute() else self.folder / path for path in self.training_systems()]
        return load_systems(paths, self.loop.settings.elements)

    def _known_vectors(self, vectors: StructureVectors, systems: Sequence[System]) -> NDArray[np.float64]:
        from nvnmd.learn.select import spread_evenly

        places = [(system, k) for system in systems for k in range(system.n_frames)]
        kept = spread_evenly(len(places), self.loop.settings.select.known)
        return np.vstack([vectors(places[n][0].select([places[n][1]])) for n in kept])

    def _queue_selected(self) -> None:
        """Put the chosen frames into the queue; those that are there already stay as they are."""
        from nvnmd.learn.selected import read_selected

        if self.steps.done("label"):
            return
        chosen = read_selected(self.folder / SELECTED)
        for test in (False, True):
            members = [found for found in chosen if found.test == test]
            self.add([(f.item, f.atoms, f.origin | {"score": f.score}) for f in members], test)

    def _queue(self) -> Queue:
        return Queue(self.folder / "queue", self.loop.settings.label)

    def _label(self) -> dict[str, Any]:
        queue, using = self._queue(), self.loop.settings.label.using
        self.loop.tell(f"{self.folder.name}: labeling {len(queue.names())} frames with {using}")
        counts = self.loop.label(queue)
        return {"labeled": counts.labeled, "failed": counts.failed, "reasons": counts.reasons}

    def _merge(self) -> dict[str, Any]:
        frames = self._queue().labeled()
        parts = {part: [f for f in frames if f.labels.record["part"] == part] for part in ("train", "test")}
        labeler = self.loop.labeler
        for part, members in parts.items():
            if members:
                write_sets(self.data / part, members, self.loop.settings.elements, labeler.label, labeler.reference)
        return {part: len(members) for part, members in parts.items()}

    def _judge(self) -> dict[str, Any]:
        from nvnmd.learn.judge import errors_of

        self.loop.tell(f"{self.folder.name}: comparing the models with the new labels")
        found = {part: errors_of(self, [self.data / part]) for part in ("train", "test")}
        return {"new" if part == "train" else part: value for part, value in found.items() if value is not None}


def _frames_of(model: Path) -> int:
    from nvnmd.training.model_file import read_provenance

    return sum(int(entry["frames"]) for entry in read_provenance(model)["training_data"])
