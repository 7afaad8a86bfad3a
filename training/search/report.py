"""The files and the table of a search, from its study alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nvnmd.training.files import write_atomically, write_json
from nvnmd.training.search.front import network_from, result
from nvnmd.training.search.settings import settings_of, settings_text
from nvnmd.training.search.study import REFERENCE, SearchError
from nvnmd.training.settings import parse_settings

if TYPE_CHECKING:
    from optuna import Study


def write_result(run: Path, study: Study) -> dict[str, Any]:
    """Write search.json and the settings of every network on the front; returns what search.json holds.

    Raises:
        SearchError: the letter's network, which everything is compared with, is not trained yet.
    """
    path = run / REFERENCE
    if not path.exists() or "settings" not in study.user_attrs:
        raise SearchError(f"the search in {run} has no result yet: the letter's network is not trained; go on with it")
    found = result(study, json.loads(path.read_text()), study.user_attrs["tolerance"])
    base = parse_settings(study.user_attrs["train"])[0]
    folder = run / "front"
    folder.mkdir(exist_ok=True)
    wanted = {}
    for trial in found["trials"]:
        if trial["number"] in found["front"]:
            settings = settings_of(network_from(trial), base)
            text = settings_text(settings, Path(study.user_attrs["data_folder"]), folder)
            wanted[f"trial-{trial['number']:04d}.json"] = text
    for name, text in wanted.items():
        write_atomically(folder / name, text.encode())
    for old in folder.glob("trial-*.json"):
        if old.name not in wanted:
            old.unlink()
    write_json(run / "search.json", found)
    return found


def table(found: Mapping[str, Any]) -> list[list[str]]:
    """The letter's network and the front for a terminal.

    Columns: trial, network, multiply-accumulates, those of the fitting net, kbit of weights, force RMSE with rounded
    and with FP32 weights in meV/angstrom, and the first of these against the letter's.
    """
    letter = found["reference"]
    by_number = {trial["number"]: trial for trial in found["trials"]}

    def row(name: str, trial: Mapping[str, Any]) -> list[str]:
        ratio = 100 * (trial["force_rmse"] / letter["force_rmse"] - 1)
        counts = f"{trial['macs']:,.0f}", f"{trial['cost']['fitting']:,}", f"{trial['cost']['weight_bits'] / 1000:,.0f}"
        errors = f"{1000 * trial['force_rmse']:.1f}", f"{1000 * trial['float_force_rmse']:.1f}"
        return [name, str(network_from(trial)), *counts, *errors, f"{ratio:+.1f} %"]

    rows = [row("letter", letter)]
    for number in found["front"]:
        mark = " *" if number == found["recommended"] else ""
        rows.append(row(f"{number}{mark}", by_number[number]))
    return rows
