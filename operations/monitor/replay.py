"""Lets a model decide logged applications again, by their bins: what it would have done, before it sees any traffic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from operations.errors import UnreadableInput
from operations.monitor.logfile import complete, day_of, records
from operations.monitor.outcomes import probability
from operations.monitor.tally import Pair, Slice, Tallies

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from lambda_app.artifact import Artifact


def replay(logs: Sequence[Path], champion: Mapping[str, Any], model: Artifact) -> Tallies:
    """Pair each logged decision of the champion with what another model says to the same bins.

    Parameters
    ----------
    logs : sequence of Path
    champion : mapping
        The manifest of the model that decided.
    model : Artifact

    Raises
    ------
    UnreadableInput
        The two models put applications into different bins, or the model scores values; or a line is not complete.
    """
    if _binning(champion) != _binning(model.manifest):
        raise UnreadableInput(
            str(model.manifest["model_version"]),
            "puts applications into other bins than the champion, so the log does not say how it would decide; let it "
            "decide in the shadow: MODEL_DIR/challenger/",
        )
    tallies, threshold = Tallies(), model.manifest["threshold"]
    known: dict[tuple[int, ...], int] = {}
    for source, record in records(logs):
        if record["event"] != "decision" or record.get("check"):
            continue
        with complete(source, record):
            if record["model_version"] != champion["model_version"]:
                continue
            bins = tuple(int(number) for number in record["bins"])
            if bins not in known:
                known[bins] = int(probability(model, bins) >= threshold)
            key = Slice(day_of(record["time"]), str(record["model_version"]), str(record["function_version"]))
            pair = Pair(
                model.manifest["model_version"], int(record["score_bin"]), int(record["prediction"]), known[bins]
            )
            tallies[key].pairs[pair] += 1
    return tallies


def _binning(manifest: Mapping[str, Any]) -> list[Any]:
    try:
        return [(one["name"], one.get("edges"), one.get("words")) for one in manifest["bins"]["fields"]]
    except (KeyError, TypeError) as err:
        raise UnreadableInput("the manifest", "has no bins; train again") from err
