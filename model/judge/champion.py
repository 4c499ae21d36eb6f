"""Compares a model with the model in service, the champion: on the same rows if the champion's artifact is at hand.

On the same rows, chance is mostly the same for both, so the differences have paired, narrow intervals. If the champion
was trained on some of these rows, it looks better than it is; that can deny a model, but never pass one.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np

from lambda_app import artifact
from lambda_app.errors import ArtifactUnsupported
from model.contract.carried import carried_fields, contract_identity
from model.errors import GateError
from model.formats import find
from model.intervals import delong, estimate
from model.judge.figures import evaluate

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from lambda_app.artifact import Artifact
    from lambda_app.manifest import Estimate
    from model.contract.fields import FieldSpec
    from model.data.applications import Applications
    from model.judge.parity import Decided

    Floats = NDArray[np.float64]


class Comparison(TypedDict):
    """How a model differs from the champion: the model's figures minus the champion's.

    A figure is None if one of the two lacks it. Without `same_rows`, the two were judged on different rows: the
    differences have no intervals (`low` and `high` equal `value`), and groups are not compared. `gap` is the difference
    of the largest equal opportunity differences; above 0, the model's is wider.
    """

    model_version: str | None
    same_rows: bool
    roc_auc: Estimate | None
    accuracy: Estimate | None
    gap: float | None
    groups: dict[str, dict[str, Estimate]]


def read_champion(where: Path) -> dict[str, Any]:
    """The champion's manifest, unchecked: that of an artifact, or what `GET /model` shows of it.

    Parameters
    ----------
    where : Path
        A manifest, or an artifact's directory.

    Raises
    ------
    GateError
        There is nothing here, or this is no manifest, or one without figures.
    """
    path = where / "manifest.json" if where.is_dir() else where
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except OSError as err:
        raise GateError(
            f"there is no model in service at {where} ({err.strerror}); name its artifact's directory or its manifest"
        ) from err
    except ValueError:
        manifest = None
    if not isinstance(manifest, dict):
        raise GateError(f"{path} is not a manifest; it must be an artifact's manifest.json")
    if not isinstance(manifest.get("metrics"), dict):
        raise GateError(f"{path} lacks figures that the policy needs; train that model again")
    return manifest


def compare_with_champion(where: Path, opened: Artifact, decided: Decided, holdout: Applications) -> Comparison:
    """Compare a model with the champion, on the hold-out if the champion's `model.joblib` lies beside its manifest.

    Parameters
    ----------
    where : Path
        The champion's manifest, or its artifact's directory.
    opened : Artifact
        The model, with its figures in its manifest.
    decided : Decided
        The model's decisions on the hold-out.
    holdout : Applications

    Raises
    ------
    GateError
        This is no manifest, or one without figures.
    ArtifactCorrupt, ArtifactUnsafe, ArtifactMissing
        The champion's artifact cannot be opened, and not only because it has an older layout.
    """
    directory = artifact_of(where, opened.manifest)
    if directory is not None:
        # An artifact of an older layout still has figures.
        with suppress(ArtifactUnsupported):
            return _on_same_rows(artifact.load(str(directory)), decided, holdout)
    return compare_figures(opened.manifest, read_champion(where))


def artifact_of(where: Path, manifest: Mapping[str, Any]) -> Path | None:
    """The champion's artifact, if it is at hand and can decide the applications of a model's contract.

    Parameters
    ----------
    where : Path
        The champion's manifest, or its artifact's directory.
    manifest : mapping
        The model's manifest.

    Raises
    ------
    GateError
        There is no champion's manifest, or one without figures.
    """
    directory = where if where.is_dir() else where.parent
    manifest_beside = where.is_dir() or where.name == "manifest.json"
    one_contract = identity_of(read_champion(where)) == identity_of(manifest)
    return directory if one_contract and manifest_beside and (directory / "model.joblib").is_file() else None


def compare_figures(manifest: Mapping[str, Any], champion: Mapping[str, Any]) -> Comparison:
    """Compare a model with the champion by the figures in their manifests, which are about different rows.

    Parameters
    ----------
    manifest, champion : mapping
        Unchecked, except that each has `metrics`. Older manifests have fewer figures.
    """

    def difference(figure: str) -> float | None:
        ours, theirs = manifest["metrics"].get(figure), champion["metrics"].get(figure)
        return ours - theirs if isinstance(ours, int | float) and isinstance(theirs, int | float) else None

    def as_estimate(value: float | None) -> Estimate | None:
        return None if value is None else {"value": value, "low": value, "high": value}

    version = champion.get("model_version")
    return {
        "model_version": version if isinstance(version, str) else None,
        "same_rows": False,
        "roc_auc": as_estimate(difference("roc_auc")),
        "accuracy": as_estimate(difference("accuracy")),
        "gap": difference("equal_opportunity_gap"),
        "groups": {},
    }


def identity_of(manifest: Mapping[str, Any]) -> str | None:
    """The identity of the contract that a manifest carries (see `contract_identity`); None if it carries none."""
    contract = manifest.get("contract")
    return (
        contract_identity(contract["json_schema"]) if isinstance(contract, dict) and "json_schema" in contract else None
    )


def _on_same_rows(champion: Artifact, decided: Decided, holdout: Applications) -> Comparison:
    matrix = encoded_for(carried_fields(champion.manifest["contract"]), holdout).matrix
    probabilities = find(champion.manifest["format"]).columns(champion).probabilities(matrix)
    approved = probabilities >= champion.manifest["threshold"]
    # The rows need not be those that the model's own figures are about.
    ours = evaluate(decided.probabilities, decided.approved, holdout)["equal_opportunity_gap"]
    theirs = evaluate(probabilities, approved, holdout)["equal_opportunity_gap"]
    truth = holdout.approved
    gained = (decided.approved == truth).astype(np.float64) - (approved == truth)
    return {
        "model_version": champion.manifest["model_version"],
        "same_rows": True,
        "roc_auc": delong(decided.probabilities, probabilities, truth),
        "accuracy": estimate(gained, float(gained.mean())),
        "gap": None if ours is None or theirs is None else ours - theirs,
        "groups": {
            column: {
                str(name): estimate(gained[names == name], float(gained[names == name].mean()))
                for name in np.unique(names[names != ""])
            }
            for column, names in holdout.groups.items()
        },
    }


def encoded_for(fields: tuple[FieldSpec, ...], applications: Applications) -> Applications:
    """The rows for a model whose contract has the same fields and words, maybe in another order."""
    ours = {spec.name: (spec, column) for spec, column in zip(applications.fields, applications.matrix.T, strict=True)}
    columns = []
    for theirs in fields:
        spec, column = ours[theirs.name]
        if theirs.words != spec.words:
            # The last place is for missing values.
            places = np.array([*(theirs.words.index(word) for word in spec.words), np.nan])
            column = places[np.where(np.isnan(column), len(spec.words), column).astype(np.intp)]
        columns.append(column)
    return replace(applications, fields=fields, matrix=np.column_stack(columns))
