"""The Optuna study of a search: choosing networks, stopping poor ones, and going on after any interruption."""

from __future__ import annotations

import dataclasses
import json
import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nvnmd.training.errors import NvnmdError
from nvnmd.training.evaluation import data_digest
from nvnmd.training.files import take_lock, write_json
from nvnmd.training.model_file import load_model
from nvnmd.training.search.cost import LETTER, Cost, Network, cost, mean_neighbors
from nvnmd.training.search.measure import MODEL, Trained, force_rmse, rounded, train_network
from nvnmd.training.search.settings import SearchSettings, Space, settings_of, shortened
from nvnmd.training.settings import Settings
from nvnmd.training.setup import TrainingData
from nvnmd.training.trainer import TrainingError

if TYPE_CHECKING:
    from optuna import Study, Trial
    from optuna.trial import FrozenTrial

log = logging.getLogger("nvnmd.search")

STORAGE, REFERENCE = "trials.sqlite", "reference.json"


class SearchError(NvnmdError, RuntimeError):
    """A search that cannot begin or go on."""


class InterruptedTrialError(RuntimeError):
    """Ctrl-C came during a training; every trial before it is kept."""


@dataclasses.dataclass(frozen=True)
class Bench:
    """What every trial is measured with: settings, data, the folder of the search, and whether to stop."""

    search: SearchSettings
    base: Settings
    data: TrainingData
    run: Path
    stop: threading.Event = dataclasses.field(default_factory=threading.Event)

    def neighbors(self, rcut: float) -> float:
        """Mean number of neighbors in the training frames."""
        return mean_neighbors(self.data.train, rcut)

    def train(self, network: Network, folder: Path, watch: Callable[[int, float], bool] | None = None) -> Trained:
        """Train a network for the steps of the search; its weight bits play no part."""
        pruning, steps = self.search.pruning, self.search.steps
        rungs = sorted({max(1, round(share * steps)) for share in pruning.at}) if pruning else []
        settings = shortened(settings_of(network, self.base), steps, self.search.seed)
        return train_network(settings, self.data, folder, rungs, watch, self.stop)


@contextmanager
def interruptible(stop: threading.Event) -> Iterator[None]:
    """Let the first Ctrl-C set `stop`; a second one acts as before.

    An exception thrown into the database's own callbacks would be swallowed there, so nothing is thrown.
    """
    before = signal.getsignal(signal.SIGINT)

    def handle(number: int, frame: object) -> None:
        stop.set()
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def locked(run: Path) -> Iterator[None]:
    """Keep a second search out of the folder; the lock of a dead process is gone with it.

    Raises:
        SearchError: another process searches there.
    """
    run.mkdir(parents=True, exist_ok=True)
    with (run / ".lock").open("w") as file:
        if not take_lock(file):
            raise SearchError(f"another search is at work in {run}; wait for it or choose another folder")
        yield


def open_study(run: Path, create: bool = True) -> Study:
    """The study of a folder, in a SQLite file.

    Raises:
        SearchError: Optuna is missing, or there is no study and none may be created.
    """
    try:
        import optuna
    except ModuleNotFoundError:
        raise SearchError("nvnmd search needs Optuna; install it with: pip install 'nvnmd[search]'") from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    path = run / STORAGE
    if not create and not path.exists():
        raise SearchError(f"there is no search in {run} (no {STORAGE}); start one with: nvnmd search SETTINGS -o {run}")
    storage = optuna.storages.RDBStorage(
        f"sqlite:///{path.absolute()}", engine_kwargs={"connect_args": {"timeout": 120}}
    )
    return optuna.create_study(storage=storage, study_name="search", directions=["minimize"] * 3, load_if_exists=True)


def begin(study: Study, bench: Bench) -> None:
    """Mark trials that died as failed, and make sure that a continued search measures as it did before.

    Raises:
        SearchError: naming what changed.
    """
    from optuna.trial import TrialState

    search, base = bench.search, bench.base
    wanted = search.model_dump(mode="json", exclude={"trials", "train", "tolerance"})
    wanted |= {"train": base.model_dump(mode="json"), "data": data_digest([*bench.data.train, *bench.data.validation])}
    before = study.user_attrs.get("settings")
    if before is None:
        study.set_user_attr("settings", wanted)
        study.set_user_attr("train", base.model_dump(mode="json", exclude_unset=True))
    elif changed := [key for key in wanted if before.get(key) != json.loads(json.dumps(wanted[key]))]:
        raise SearchError(
            f"{bench.run} holds a search with other settings ({', '.join(changed)} changed); choose another folder, or "
            f"go on with what it was begun with"
        )
    study.set_user_attr("tolerance", search.tolerance)
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        study.tell(trial.number, state=TrialState.FAIL)


def counted(study: Study, running: bool = False) -> list[FrozenTrial]:
    """Trials that came to a result: complete, pruned, or broken for a reason of their own; not interrupted ones."""
    from optuna.trial import TrialState

    done = {TrialState.COMPLETE, TrialState.PRUNED} | ({TrialState.RUNNING} if running else set())
    trials = study.get_trials(deepcopy=False)
    return [t for t in trials if t.state in done or "error" in t.user_attrs]


def reference(bench: Bench) -> dict[str, Any]:
    """The letter's network, trained as every trial is; once for a folder.

    Raises:
        InterruptedTrialError: Ctrl-C.
    """
    path = bench.run / REFERENCE
    if path.exists():
        return dict(json.loads(path.read_text()))
    log.info("the letter's network, %s, for comparison", LETTER)
    trained = bench.train(LETTER, bench.run / "reference")
    if not trained.complete:
        raise InterruptedTrialError
    found = _record(LETTER, cost(LETTER, bench.neighbors(LETTER.rcut))) | _errors(bench, LETTER, trained.model)
    write_json(path, found | {"cpu_s": trained.cpu_s})
    return found


def search(study: Study, bench: Bench, trials: int, until: float, done: Callable[[], object]) -> None:
    """Try networks until there are `trials` of them or the clock (`time.monotonic`) says `until`.

    With one process the sampler's random numbers depend on the number of trials before, so a search that was
    interrupted chooses the same networks as one that was not.

    Args:
        done: called after every trial.

    Raises:
        InterruptedTrialError: Ctrl-C.
    """
    while (number := len(counted(study, running=True))) < trials and time.monotonic() < until:
        if bench.stop.is_set():
            raise InterruptedTrialError
        study.sampler = _sampler(bench.search, number)
        _try(study, bench, study.ask())
        done()


def network_of(trial: Trial, space: Space) -> Network:
    """Let the sampler choose a network. Every width is asked for, used or not: crossover needs equal sets of keys."""
    layers = trial.suggest_categorical("layers", space.layers)
    widths = [trial.suggest_categorical(f"width_{k}", space.widths) for k in range(1, max(space.layers) + 1)]
    return Network(
        form=trial.suggest_categorical("form", space.form),
        rcut=trial.suggest_categorical("rcut", space.rcut),
        m1=trial.suggest_categorical("m1", space.m1),
        m2=trial.suggest_categorical("m2", space.m2),
        widths=tuple(widths[:layers]),
        weight_bits=trial.suggest_categorical("weight_bits", space.weight_bits),
    )


def goes_on(error: float, peers: list[float], factor: float, least: int) -> bool:
    """Successive halving: whether an error is among the better 1/factor of its own and its peers'.

    Optuna's pruners know one objective only; peers here are networks that cost no more, so that a small network is
    never stopped for being less accurate than a large one.
    """
    if len(peers) < least:
        return True
    better = sum(peer < error for peer in peers)
    return better < (len(peers) + 1) / factor


def _try(study: Study, bench: Bench, trial: Trial) -> None:
    """One trial, from the choice of a network to its result in the study."""
    from optuna.trial import TrialState

    network = network_of(trial, bench.search.space)
    price = cost(network, bench.neighbors(network.rcut))
    for key, value in _record(network, price).items():
        trial.set_user_attr(key, value)
    log.info("trial %d: %s, %.0f multiply-accumulates", trial.number, network, price.macs)
    earlier = _same_training(study, trial.number, network)
    try:
        if earlier is not None and earlier.state == TrialState.PRUNED:
            trial.set_user_attr("model_of", earlier.number)
            study.tell(trial, state=TrialState.PRUNED)
            return
        model = _model(study, bench, trial, network, price, earlier)
    except TrainingError as error:
        trial.set_user_attr("error", str(error))
        study.tell(trial, state=TrialState.FAIL)
        return
    if model is None:
        study.tell(trial, state=TrialState.PRUNED)
        return
    found = _errors(bench, network, model)
    for key, value in found.items():
        trial.set_user_attr(key, value)
    study.tell(trial, [found["force_rmse"], price.macs, float(price.weight_bits)])


def _model(study: Study, bench: Bench, trial: Trial, network: Network, price: Cost, earlier: FrozenTrial | None) -> Any:
    """The trained model of a trial, or None for one that was stopped; a network trained before is not trained again."""
    if earlier is not None:
        number = earlier.user_attrs.get("model_of", earlier.number)
        trial.set_user_attr("model_of", number)
        return load_model(bench.run / "trials" / f"{number:04d}" / MODEL)
    pruning = bench.search.pruning

    def watch(step: int, error: float) -> bool:
        trial.set_user_attr(f"rung_{step}", error)
        trials = study.get_trials(deepcopy=False)
        peers = [
            t.user_attrs[f"rung_{step}"]
            for t in trials
            if t.number != trial.number and f"rung_{step}" in t.user_attrs and t.user_attrs["macs"] <= price.macs
        ]
        return pruning is None or goes_on(error, peers, pruning.factor, pruning.peers)

    trained = bench.train(network, bench.run / "trials" / f"{trial.number:04d}", watch)
    trial.set_user_attr("cpu_s", trained.cpu_s)
    if not trained.complete and not trained.pruned:
        raise InterruptedTrialError
    return trained.model if trained.complete else None


def _same_training(study: Study, number: int, network: Network) -> FrozenTrial | None:
    """An earlier trial with the same network, whatever its weight bits."""
    from optuna.trial import TrialState

    plain = _record(dataclasses.replace(network, weight_bits=0), None)["network"]
    for trial in study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED)):
        if trial.number != number and trial.user_attrs["network"] | {"weight_bits": 0} == plain:
            return trial
    return None


def _errors(bench: Bench, network: Network, model: Any) -> dict[str, float]:
    """Force RMSE of the held-out frames (eV/angstrom), in FP32 and with the weights rounded to their bits."""
    systems = bench.data.validation
    return {
        "float_force_rmse": force_rmse(model, systems),
        "force_rmse": force_rmse(rounded(model, network.weight_bits), systems),
    }


def _record(network: Network, price: Cost | None) -> dict[str, Any]:
    """A network and its cost as JSON values."""
    plain = json.loads(json.dumps(dataclasses.asdict(network)))
    costs = {} if price is None else {"macs": price.macs, "cost": dataclasses.asdict(price)}
    return {"network": plain} | costs


def _sampler(search: SearchSettings, number: int) -> Any:
    from optuna.samplers import NSGAIISampler, TPESampler

    seed = 100_003 * search.seed + number
    if search.sampler == "tpe":
        return TPESampler(seed=seed)
    return NSGAIISampler(population_size=search.population, seed=seed)
