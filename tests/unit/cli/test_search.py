"""`nvnmd search` on springs: a few trials of a few steps."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from nvnmd.cli.search import search
from nvnmd.training.model_file import load_model
from nvnmd.training.search.cost import LETTER
from nvnmd.training.search.study import SearchError, counted, locked, open_study
from nvnmd.training.settings import SettingsError, load_settings

optuna = pytest.importorskip("optuna", reason="the extra nvnmd[search] is not installed")

SPACE = {"layers": [1, 2], "widths": [2, 4], "m1": [4, 8], "m2": [2], "rcut": [5.0], "weight_bits": [4, 16]}


@pytest.fixture
def folder(tmp_path: Path, spring_frames: Callable[[Path, int], None]) -> Path:
    spring_frames(tmp_path / "springs", 8)
    train = {
        "model": {"type_map": ["Ge", "Te"], "descriptor": {"sel": [4, 4], "neuron": [4, 8]}},
        "training": {"training_data": {"systems": ["springs"]}, "numb_steps": 500},
        "nvnmd": {"validation_fraction": 0.25},
    }
    (tmp_path / "input.json").write_text(json.dumps(train))
    write(tmp_path)
    return tmp_path


def write(folder: Path, **changes: Any) -> Path:
    settings = {"train": "input.json", "steps": 4, "trials": 5, "population": 3, "space": SPACE} | changes
    path = folder / "search.yaml"
    path.write_text(yaml.safe_dump(settings))
    return path


def found(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "run/search.json").read_text()))


def results(folder: Path) -> list[tuple[Any, ...]]:
    return [(t["network"], t["state"], t.get("force_rmse")) for t in found(folder)["trials"]]


def test_a_search_writes_its_result(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    search(folder / "search.yaml", folder / "run")
    result = found(folder)
    assert len(result["trials"]) == 5
    assert result["reference"]["cost"]["fitting"] == 49280
    assert result["reference"]["network"]["widths"] == list(LETTER.widths)
    assert result["front"]
    assert (folder / "run/search.png").stat().st_size > 10000
    shown = capsys.readouterr().out
    assert "letter" in shown
    for number in result["front"]:
        trial = result["trials"][number]
        settings, _ = load_settings(folder / f"run/front/trial-{number:04d}.json")
        assert settings.model.fitting_net.neuron == trial["network"]["widths"]
        assert settings.training.numb_steps == 500
        assert (folder / "run/front" / settings.training.training_data.systems[0] / "type.raw").exists()
    own = next(t for t in result["trials"] if t["state"] == "complete" and "model_of" not in t)
    model = load_model(folder / f"run/trials/{own['number']:04d}/model.safetensors")
    assert list(model.shape.fitting_neuron) == own["network"]["widths"]
    assert sorted(own["rungs"]) == ["1", "2"]


def test_an_interrupted_search_chooses_and_finds_the_same(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import typer

    from nvnmd.training.trainer import Trainer

    search(folder / "search.yaml", folder / "run")
    whole = results(folder)
    (folder / "run").rename(folder / "whole")
    advance = Trainer._advance

    def stop(self: Trainer, curve: object) -> None:
        advance(self, curve)  # type: ignore[arg-type]
        if "0001" in str(self.folder):
            self.request_stop()

    monkeypatch.setattr(Trainer, "_advance", stop)
    with pytest.raises(typer.Exit) as leaving:
        search(folder / "search.yaml", folder / "run")
    assert leaving.value.exit_code == 130
    monkeypatch.setattr(Trainer, "_advance", advance)
    search(folder / "search.yaml", folder / "run")
    assert found(folder)["trials"][1]["state"] == "interrupted"
    assert [r for r, t in zip(results(folder), found(folder)["trials"], strict=True) if t["number"] != 1] == whole


def test_a_killed_search_keeps_its_trials(folder: Path) -> None:
    write(folder, trials=200, space=SPACE | {"widths": [2, 3, 4, 5, 6, 7, 8]}, steps=30)
    command = [sys.executable, "-m", "nvnmd", "search", str(folder / "search.yaml"), "-o", str(folder / "run")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    began = time.monotonic()
    while not (folder / "run/search.json").exists() and time.monotonic() - began < 120:
        time.sleep(0.2)
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = len(counted(open_study(folder / "run")))
    assert before >= 1
    search(folder / "search.yaml", folder / "run", trials=before + 1)
    states = [t["state"] for t in found(folder)["trials"]]
    assert len(states) - states.count("interrupted") == before + 1
    assert states.count("interrupted") <= 1


def test_a_finished_search_is_shown_again_and_extended(folder: Path) -> None:
    search(folder / "search.yaml", folder / "run", trials=2)
    (folder / "run/search.json").unlink()
    search(plot_only=folder / "run")
    assert len(found(folder)["trials"]) == 2
    search(folder / "search.yaml", folder / "run", trials=3)
    assert len(found(folder)["trials"]) == 3
    search(folder / "search.yaml", folder / "run", trials=9, minutes=0)
    assert len(found(folder)["trials"]) == 3


def test_weight_bits_of_a_trained_network_need_no_training(folder: Path) -> None:
    one = {"layers": [1], "widths": [4], "m1": [4], "m2": [2], "rcut": [5.0], "weight_bits": [3, 16]}
    write(folder, space=one, trials=6)
    search(folder / "search.yaml", folder / "run")
    trials = found(folder)["trials"]
    assert [t.get("model_of") for t in trials] == [None, 0, 0, 0, 0, 0]
    assert len({t["float_force_rmse"] for t in trials}) == 1
    assert len({t["force_rmse"] for t in trials}) == len({t["network"]["weight_bits"] for t in trials}) == 2


def test_ctrl_c_between_trainings_stops(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import typer

    from nvnmd.training.search import report

    write_result = report.write_result

    def interrupted(run: Path, study: Any) -> dict[str, Any]:
        signal.raise_signal(signal.SIGINT)
        return write_result(run, study)

    monkeypatch.setattr(report, "write_result", interrupted)
    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(typer.Exit) as leaving:
        search(folder / "search.yaml", folder / "run")
    assert leaving.value.exit_code == 130
    assert len(found(folder)["trials"]) == 1
    assert signal.getsignal(signal.SIGINT) is handler


@pytest.mark.slow
def test_two_processes_share_a_search(folder: Path) -> None:
    search(folder / "search.yaml", folder / "run", trials=4, jobs=2)
    assert len(found(folder)["trials"]) in (4, 5)
    assert {t["state"] for t in found(folder)["trials"]} <= {"complete", "pruned"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"stepz": 3}, "unknown key 'stepz'; did you mean 'steps'"),
        ({"space": {"m1": [4], "m2": [8]}}, r"space: m2 \(8\) may not be larger than the smallest m1 \(4\)"),
        ({"space": {"rcut": [9.0]}}, r"space\.rcut\.0: .*less than 8"),
        ({"space": {"weight_bits": [2]}}, r"space\.weight_bits\.0: .*greater than or equal to 3"),
        ({"space": {"widths": []}}, r"space\.widths: .*at least 1"),
        ({"train": "nowhere.json"}, r"cannot read settings from .*nowhere\.json"),
        ({"train": {"model": {}}}, "train: model.type_map"),
    ],
)
def test_wrong_settings_are_named(folder: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        search(write(folder, **changes), folder / "run")
    assert not (folder / "run").exists()


def test_something_must_be_held_out(folder: Path) -> None:
    train = json.loads((folder / "input.json").read_text())
    del train["nvnmd"]
    with pytest.raises(SettingsError, match="nothing is held out"):
        search(write(folder, train=train), folder / "run")


def test_a_search_with_other_settings_is_refused(folder: Path) -> None:
    search(folder / "search.yaml", folder / "run", trials=1)
    with pytest.raises(SearchError, match=r"other settings \(steps changed\)"):
        search(write(folder, steps=5), folder / "run")


def test_a_folder_is_searched_by_one(folder: Path) -> None:
    with locked(folder / "run"), pytest.raises(SearchError, match="another search is at work"):
        search(folder / "search.yaml", folder / "run")


def test_what_is_missing_is_said(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SearchError, match="there is no search in"):
        search(plot_only=folder / "run")
    with pytest.raises(SearchError, match="give the settings"):
        search()
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(SearchError, match=r"pip install 'nvnmd\[search\]'"):
        search(folder / "search.yaml", folder / "run")
