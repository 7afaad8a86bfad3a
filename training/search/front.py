"""The result of a search: every trial, the front, and the recommended small network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nvnmd.training.search.cost import Network

if TYPE_CHECKING:
    from optuna import Study

OBJECTIVES = ("force_rmse", "macs", "weight_bits")


def trials_of(study: Study) -> list[dict[str, Any]]:
    """Every finished trial as JSON values.

    Keys: number, state (complete, pruned, failed, interrupted), network, macs, cost, force_rmse and float_force_rmse
    (eV/angstrom, complete ones), rungs (force RMSE by step), model_of (the trial whose training was used again), error.
    """
    names = {"COMPLETE": "complete", "PRUNED": "pruned", "FAIL": "failed"}
    found = []
    for trial in study.get_trials(deepcopy=False):
        if not trial.state.is_finished():
            continue
        values = dict(trial.user_attrs)
        rungs = {int(key[5:]): values.pop(key) for key in list(values) if key.startswith("rung_")}
        state = names[trial.state.name]
        if state == "failed" and "error" not in values:
            state = "interrupted"
        bits = {"weight_bits": values["cost"]["weight_bits"]} if "cost" in values else {}
        found.append({"number": trial.number, "state": state} | values | bits | {"rungs": rungs})
    return found


def front(trials: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Complete trials that no other beats or equals in all three objectives, by multiply-accumulates; no twins."""
    complete = [t for t in trials if t["state"] == "complete"]
    chosen: dict[tuple[float, ...], Mapping[str, Any]] = {}
    for trial in complete:
        own = _values(trial)
        if not any(_dominates(_values(other), own) for other in complete):
            chosen.setdefault(own, trial)
    return sorted(chosen.values(), key=lambda t: (t["macs"], t["weight_bits"]))


def recommended(
    trials: Sequence[Mapping[str, Any]], reference: Mapping[str, Any], tolerance: float
) -> Mapping[str, Any] | None:
    """The front's cheapest network whose force RMSE is at most `tolerance` above the letter's, trained as it was.

    Least multiply-accumulates first, then least weight bits; None where no network is good enough.
    """
    limit = (1 + tolerance) * reference["force_rmse"]
    return next((trial for trial in front(trials) if trial["force_rmse"] <= limit), None)


def result(study: Study, reference: Mapping[str, Any], tolerance: float) -> dict[str, Any]:
    """What search.json holds."""
    trials = trials_of(study)
    best = recommended(trials, reference, tolerance)
    return {
        "settings": study.user_attrs["settings"],
        "reference": dict(reference),
        "trials": trials,
        "front": [trial["number"] for trial in front(trials)],
        "recommended": None if best is None else best["number"],
        "tolerance": tolerance,
        "units": {"force_rmse": "eV/A", "macs": "multiply-accumulates per atom, forward"},
    }


def network_from(record: Mapping[str, Any]) -> Network:
    """The network of a trial's record."""
    return Network(**(record["network"] | {"widths": tuple(record["network"]["widths"])}))


def _values(trial: Mapping[str, Any]) -> tuple[float, ...]:
    return tuple(float(trial[key]) for key in OBJECTIVES)


def _dominates(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return a != b and all(x <= y for x, y in zip(a, b, strict=True))
