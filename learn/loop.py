"""The loop: train, quantize, explore, choose, label, and again; every step is on disk before the next begins.

RUN/learn.yaml               settings, as they were given
RUN/data/round-00/train      labeled frames of each round, deepmd/npy; test beside train
RUN/round-01/                input-K.json, train-K, quantize, explore, selected.extxyz, queue, steps.json
RUN/final/                   the model trained on all of it
RUN/learn.json               what every round did, for people and programs
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nvnmd.learn.errors import LearnError
from nvnmd.learn.explore import item_seed
from nvnmd.learn.items import NESTED
from nvnmd.learn.labelers import Labeler, make_labeler
from nvnmd.learn.queue import Counts, Queue
from nvnmd.learn.rounds import Round
from nvnmd.learn.run_queue import run_queue
from nvnmd.learn.settings import LearnSettings
from nvnmd.learn.steps import Steps
from nvnmd.learn.training_input import read_template, training_input
from nvnmd.training.files import take_lock, write_atomically, write_json

Commands = Callable[[Sequence[str]], None]
"""Runs `nvnmd` with these arguments in the run folder; raises where it fails or is stopped."""
SETTINGS_FILE, RECORD_FILE, LOCK_FILE = "learn.yaml", "learn.json", ".lock"


@dataclass
class Loop:
    """A run of the loop in a folder.

    Attributes:
        settings: of the loop; base: folder that its paths count from; folder: of the run.
        command: runs a command of nvnmd; label: works through a queue; tell: shows a line;
            on_record: called whenever `learn.json` was written.
    """

    settings: LearnSettings
    base: Path
    folder: Path
    command: Commands
    label: Callable[[Queue], Counts] = run_queue
    tell: Callable[[str], None] = lambda text: None
    on_record: Callable[[], object] = lambda: None
    labeler: Labeler = field(init=False)

    def __post_init__(self) -> None:
        self.settings = _absolute(self.settings, self.base)
        self.labeler = make_labeler(self.settings.label)
        template = read_template(self.settings.train, self.base)
        training_input(template, self.settings, ["data"], 1, self.settings.train.again)
        self._template = template
        self._prepare()

    def run(self) -> dict[str, Any]:
        """Do all rounds, or go on with them; the record that is also kept in `learn.json`.

        Raises:
            LearnError: in settings, labels or data; what is done stays.
            KeyboardInterrupt: after Ctrl-C; the same call goes on.
        """
        with (self.folder / LOCK_FILE).open("w") as lock:
            if not take_lock(lock):
                raise LearnError(f"{self.folder}: another nvnmd learn is at work here; wait for it")
            return self._run()

    def _run(self) -> dict[str, Any]:
        self._begin()
        rounds: list[Round] = []
        for number in range(1, self.settings.rounds + 1):
            current = self._round(number, rounds[-1] if rounds else None)
            current.run()
            rounds.append(current)
            self._record(rounds, "running")
            if self._known_well(current):
                self.tell(f"round {number}: nearly all frames lie below select.low, so that no more rounds are done")
                break
        final = self._round(len(rounds) + 1, rounds[-1], "final")
        final.make_model()
        rounds.append(final)
        return self._record(rounds, "complete")

    def _prepare(self) -> None:
        """Keep the settings, or find that those of before are the same."""
        import yaml

        text = yaml.safe_dump(self.settings.model_dump(mode="json"), sort_keys=False)
        path = self.folder / SETTINGS_FILE
        if path.exists():
            before = yaml.safe_load(path.read_text(encoding="utf-8"))
            _check_same(before, self.settings.model_dump(mode="json"), self.folder)
        (self.folder / "data").mkdir(parents=True, exist_ok=True)
        write_atomically(path, text.encode())

    def _begin(self) -> None:
        """Label the structures of the start, and look at the data at hand."""
        from nvnmd.learn.builders.registry import structures

        start = self._round(0, None)
        items = self.settings.items(0)
        if items and not start.steps.done("merge"):
            self.tell(f"start: {', '.join(item.name for item in items)}")
            for item in items:
                made = structures(item.build, item.count, item_seed(self.settings.seed, item), **item.options)
                start.add([(item.name, atoms, {"item": item.name, "build": item.build}) for atoms in made])
            start.label_and_merge()
        self._check_labels()

    def _check_labels(self) -> None:
        """Refuse to train on teachers' and DFT labels together where nobody said so."""
        from nvnmd.training.frames import load_systems

        data = self.settings.data
        found = {system.label for system in load_systems(data, self.settings.elements)} if data else set()
        kinds = {label == "dft" for label in found | {self.labeler.label}}
        if len(kinds) > 1 and not self.settings.mix_labels:
            raise LearnError(
                f"data hold labels of {', '.join(sorted(found))} and new ones are {self.labeler.label}: labels of a "
                "teacher and of DFT would be trained on together; set mix_labels: true if you mean it (each keeps its "
                "mark and its energy reference), or begin without the other kind"
            )

    def _round(self, number: int, before: Round | None, name: str | None = None) -> Round:
        folder = self.folder / (name or f"round-{number:02d}")
        folder.mkdir(parents=True, exist_ok=True)
        return Round(self, number, folder, Steps(folder / "steps.json"), before)

    def inputs(self, systems: Sequence[str], seed: int, again: bool) -> dict[str, Any]:
        """Settings of one training on these systems."""
        return training_input(
            self._template, self.settings, systems, seed, self.settings.train.again if again else None
        )

    def _known_well(self, current: Round) -> bool:
        found = current.steps.do("select", dict)
        share = found["candidate"] / max(1, found["accurate"] + found["candidate"] + found["failed"])
        return bool(share < self.settings.stop_below)

    def _record(self, rounds: Sequence[Round], status: str) -> dict[str, Any]:
        from nvnmd.learn.judge import cross_errors

        complete = status == "complete"
        errors = rounds[-1].steps.do("errors", lambda: cross_errors(rounds, self.settings)) if complete else None
        record: dict[str, Any] = {
            "status": status,
            "label": self.labeler.label,
            "reference": self.labeler.reference,
            "settings": self.settings.model_dump(mode="json"),
            "start": self._round(0, None).summary(),
            "rounds": [r.summary() for r in rounds],
        }
        if complete:
            record["errors"] = errors
        write_json(self.folder / RECORD_FILE, record)
        self.on_record()
        return record


def _absolute(settings: LearnSettings, base: Path) -> LearnSettings:
    """The settings with paths of data, structures, template and teacher that hold wherever it is called from."""

    def placed(path: str) -> str:
        inside = base / path
        found = any(base.glob(path)) if not Path(path).is_absolute() else False
        return str(inside.resolve()) if inside.exists() or found else str(Path(path).absolute())

    label = settings.label
    kind, colon, rest = label.using.partition(":")
    changes: dict[str, Any] = {}
    if colon and kind in ("nep", "nequix"):
        changes["using"] = f"{kind}:{placed(rest)}"
    if label.template is not None:
        changes["template"] = placed(label.template)
    return settings.model_copy(
        update={
            "data": [placed(path) for path in settings.data],
            "validation": [placed(path) for path in settings.validation],
            "start": [_item_placed(item, placed) for item in settings.start],
            "explore": [_item_placed(item, placed) for item in settings.explore],
            "label": label.model_copy(update=changes),
        }
    )


def _item_placed(item: dict[str, Any], placed: Callable[[str], str]) -> dict[str, Any]:
    """An item with the path of its structures, or of those that its runs start from, in place."""
    found = dict(item)
    if found.get("build") == "file" and "path" in found:
        found["path"] = placed(str(found["path"]))
    for key in NESTED:
        if isinstance(found.get(key), dict):
            found[key] = _item_placed(found[key], placed)
    return found


def _check_same(before: dict[str, Any], now: dict[str, Any], folder: Path) -> None:
    """Settings may change in what later rounds read; what earlier ones were made with must not."""
    free = {"rounds", "stop_below", "validation"}
    for key in before.keys() | now.keys():
        if key in free or before.get(key) == now.get(key):
            continue
        if key == "label" and _without_work(before[key]) == _without_work(now[key]):
            continue
        raise LearnError(
            f"{folder}: holds a run with other settings ({key} differs); choose another folder with -o, or give the "
            "settings of before"
        )


def _without_work(label: dict[str, Any]) -> dict[str, Any]:
    free = ("workers", "max_minutes", "max_failed", "min_free_mb", "command", "check_units")
    return {key: value for key, value in label.items() if key not in free}
