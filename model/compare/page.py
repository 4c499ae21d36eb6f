"""Renders `comparison.html`: two models side by side, in the report's style."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from model.compare.summary import does, worries
from model.report import quality, words
from model.report.page import environment, figures_of
from model.report.scale import Scale

if TYPE_CHECKING:
    from model.compare.comparison import Compared, Side
    from model.judge.champion import Comparison

FILE = "comparison.html"
TEMPLATES = Path(__file__).resolve().parent / "templates"
# Smaller changes of points are not shown: points are rounded for reading.
LEAST = 0.5
MODELS = ("champion", "model")


@dataclass(frozen=True)
class Row:
    """A fact about both models."""

    name: str
    champion: str
    model: str

    @property
    def differs(self) -> bool:
        """Whether the two differ in it."""
        return self.champion != self.model


def render(compared: Compared, name: str, about: str) -> str:
    """The page.

    Parameters
    ----------
    compared : Compared
    name, about : str
        The contract's name and what it describes.
    """
    champion, model, swap = compared["champion"], compared["model"], compared["swap"]
    scale = Scale.of(model["settings"])
    moved = [field for field in compared["fields"] if field["moved"] * scale.factor >= LEAST]
    reasons = [reason for reason in compared["reasons"] or () if reason["champion"] or reason["model"]]
    return (
        environment(TEMPLATES)
        .get_template("comparison.html.j2")
        .render(
            name=name,
            about=about,
            champion=champion,
            model=model,
            verdict=compared["verdict"],
            figure=figures_of(compared),
            same_rows=compared["differences"]["same_rows"],
            does=list(does(swap)),
            worries=list(worries(compared)),
            figures=_figures(champion, model, compared["differences"]),
            swap=swap,
            reasons=reasons,
            moved=moved,
            unmoved=[field["name"] for field in compared["fields"] if field not in moved],
            most=max((row[side] for field in moved for row in field["bins"] for side in MODELS), default=0.0) or 1.0,  # type: ignore[literal-required]  # the sides are keys
            scale=scale,
            facts=_facts(champion, model),
            contract=compared["contract"],
        )
    )


def _figures(champion: Side, model: Side, differences: Comparison) -> dict[str, tuple[quality.Cell, quality.Cell, str]]:
    """Each figure of both, and how the model's differs where that is known with its interval."""
    cutoffs = {name: side["threshold"] or 0.0 for name, side in zip(MODELS, (champion, model), strict=True)}
    rows = quality.compared({"champion": champion["figures"], "model": model["figures"]}, cutoffs)
    told, area, accuracy = dict[str, str](), differences["roc_auc"], differences["accuracy"]
    if accuracy is not None:
        told["Accuracy"] = f"{words.signed(accuracy['value'])} points, {words.interval(accuracy, 2)}"
    if area is not None:
        told["Area under ROC"] = f"{words.signed(area['value'] / 100, 4)}, {words.interval(area, 4, 1)}"
    if differences["gap"] is not None:
        told["Equal-opportunity gap"] = f"{words.signed(differences['gap'])} points"
    return {label: (cells[0], cells[1], told.get(label, "")) for label, cells in rows.items()}


def _facts(champion: Side, model: Side) -> list[Row]:
    def of(side: Side) -> dict[str, str]:
        return {
            "Model version": side["model_version"],
            "Trained at": side["trained_at"] or words.NONE,
            "Cut-off": words.places(side["threshold"]),
            "Format": side["format"] or words.NONE,
            "Applications": words.whole(side["rows"]),
            "Data of": side["dated"] or "unknown date",
        } | {name.replace("_", " "): f"{value:g}" for name, value in side["settings"].items()}

    before, after = of(champion), of(model)
    names = dict.fromkeys([*after, *before])
    return [Row(name, before.get(name, words.NONE), after.get(name, words.NONE)) for name in names]
