"""Looks for alternatives: tries every recipe, keeps what was tried, and says what it found."""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING, TypedDict

import numpy as np
from joblib import cpu_count
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from model.alternatives.recipes import first_round, second_round
from model.alternatives.trial import Rows, tried, try_recipe, unbeaten
from model.fit.estimates import estimates
from model.fit.scorecard import fit_scorecard
from model.fit.splitting import sample, split
from model.fit.train import JUDGING, out_of_fold

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from lambda_app.manifest import Manifest
    from model.alternatives.recipes import Recipe
    from model.alternatives.trial import Point, Tried
    from model.data.applications import Applications
    from model.fit.settings import TrainingSettings
    from model.fit.task import Limits

FILE = "alternatives.json"
PARTIAL = "alternatives.partial.jsonl"


class Chosen(TypedDict):
    """The chosen model's place.

    `frontier_gap` is the smallest gap on the frontier at no smaller a value; None if no point has as large a value.
    """

    cutoff: float
    training: Tried
    holdout: Tried
    frontier_gap: float | None


class Alternatives(TypedDict):
    """The content of `alternatives.json`.

    `frontier` has the points that no other beats in both value and gap on the training rows, out-of-fold, smallest gap
    first; only of recipes that read no group. `equal` has, for each of these recipes, the fairest point that is fairer
    than the chosen model, on the training rows and again on the hold-out, and as good: on the hold-out, which took no
    part in the search, the interval of `difference` holds 0 or lies above. `counsel` has the same for recipes that read
    the group while fitting.
    """

    identity: str
    measure: str
    recipes: int
    points: int
    chosen: Chosen
    frontier: list[Point]
    equal: list[Point]
    counsel: list[Point]


def search(
    applications: Applications, manifest: Manifest, settings: TrainingSettings, limits: Limits, directory: Path
) -> Alternatives:
    """Try every recipe on the rows that trained and judged a model.

    Parameters
    ----------
    applications : Applications
        The rows that the model was trained and judged on.
    manifest : Manifest
        Of the chosen model.
    settings : TrainingSettings
        Those that it was trained with.
    limits : Limits
        Hold the rule by which cut-offs are chosen.
    directory : Path
        `alternatives.partial.jsonl` here keeps what was tried, so that an interrupted search goes on where it stopped.
    """
    training, holdout = split(applications, settings)
    training = sample(training, JUDGING, settings.seed)
    rule, cutoff = limits["cutoff"], np.array([manifest["threshold"]])
    with threadpool_limits(limits=1):
        unseen = out_of_fold(training, settings, training.weights, threads=cpu_count())
        labels = training.approved.astype(np.int64)
        pipeline = fit_scorecard(training.fields, training.matrix, labels, settings, training.weights).pipeline
        seen = estimates(pipeline, holdout.matrix)
        on = Rows(training, holdout, rule, unseen >= cutoff, seen >= cutoff)
        log = _Log(directory / PARTIAL, [manifest["identity"], applications.digest, settings.as_dict(), rule])
        points = _try(first_round([spec.name for spec in training.fields], training.groups, settings), log, on)
        points += _try(second_round(_spared(points), settings), log, on)
    blind = [point for point in points if not point["reads_group"]]
    frontier = _frontier(blind)
    before = tried(rule, training, unseen, cutoff, on.chosen_training)[0]
    after = tried(rule, holdout, seen, cutoff, on.chosen_holdout)[0]
    as_good = [point["training"]["gap"] for point in frontier if point["training"]["value"] >= before["value"]]
    log.remove()
    return {
        "identity": manifest["identity"],
        "measure": "minus the cost a row" if rule["by"] == "cost" else "accuracy",
        "recipes": len({point["recipe"] for point in points}),
        "points": len(points),
        "chosen": {
            "cutoff": manifest["threshold"],
            "training": before,
            "holdout": after,
            "frontier_gap": min(as_good, default=None),
        },
        "frontier": frontier,
        "equal": _equal(blind, before["gap"], after["gap"]),
        "counsel": _equal([point for point in points if point["reads_group"]], before["gap"], after["gap"]),
    }


class _Log:
    """The recipes tried so far, one line each, under a first line that says for which search."""

    def __init__(self, path: Path, search_for: object) -> None:
        self._path, self.points, self._one_at_a_time = path, dict[str, "list[Point]"](), Lock()
        key = hashlib.sha256(json.dumps(search_for, sort_keys=True).encode()).hexdigest()
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        path.write_text(key + "\n", encoding="utf-8")
        for line in lines[1:] if lines[:1] == [key] else ():
            with suppress(ValueError):  # an interruption may have cut the last line short
                self.keep(**json.loads(line))

    def keep(self, recipe: str, points: list[Point]) -> None:
        self.points[recipe] = points
        with self._one_at_a_time, self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"recipe": recipe, "points": points}) + "\n")

    def remove(self) -> None:
        self._path.unlink()


def _try(recipes: list[Recipe], log: _Log, on: Rows) -> list[Point]:
    """Try the recipes that the log lacks, one on each processor: fitting lets other threads run meanwhile."""
    waiting = [recipe for recipe in recipes if recipe.name not in log.points]
    pool = ThreadPoolExecutor(cpu_count())
    tries = [pool.submit(_alone, recipe, log, on) for recipe in waiting]
    try:
        for done in tqdm(
            as_completed(tries), desc="try alternatives", total=len(waiting), unit="recipe", leave=False, disable=None
        ):
            done.result()
    finally:
        # After Ctrl-C, what was begun is finished and kept, but nothing else is begun.
        pool.shutdown(cancel_futures=True)
    return [point for recipe in recipes for point in log.points[recipe.name]]


def _alone(recipe: Recipe, log: _Log, on: Rows) -> None:
    """Try a recipe in one thread: more of them would only wait for each other."""
    with threadpool_limits(limits=1):
        log.keep(recipe.name, try_recipe(recipe, on))


def _spared(points: Iterable[Point]) -> list[str]:
    """The fields, the one first without which the value is largest."""
    best: dict[str, float] = {}
    for point in points:
        if len(point["left_out"]) == 1:
            name = point["left_out"][0]
            best[name] = max(best.get(name, -np.inf), point["training"]["value"])
    return sorted(best, key=lambda name: -best[name])


def _frontier(points: list[Point]) -> list[Point]:
    values = np.array([point["training"]["value"] for point in points])
    return [points[place] for place in unbeaten(values, np.array([point["training"]["gap"] for point in points]))]


def _equal(points: list[Point], gap: float, holdout_gap: float) -> list[Point]:
    """Of each recipe the fairest point that is as good as the chosen model and fairer; the fairest first."""
    fairest: dict[str, Point] = {}
    for point in points:
        before, after = point["training"], point["holdout"]
        fairer = before["gap"] < gap and after["gap"] < holdout_gap
        if fairer and after["difference"]["high"] >= 0:
            other = fairest.setdefault(point["recipe"], point)
            if before["gap"] < other["training"]["gap"]:
                fairest[point["recipe"]] = point
    return sorted(fairest.values(), key=lambda point: point["training"]["gap"])
