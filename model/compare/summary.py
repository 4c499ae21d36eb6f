"""What a comparison says first, in sentences: on the page and on the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from model.report import words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from model.compare.comparison import Compared, Swap, Swapped


def lines(compared: Compared) -> Iterator[tuple[str, str]]:
    """The lines for the screen: a heading and a sentence each."""
    for denial in compared["verdict"]["denials"]:
        yield "gate", f"DENIED by rule {denial['rule']}: {denial['message']}"
    if compared["verdict"]["passed"]:
        yield "gate", f"may replace {compared['champion']['model_version']}, as far as that is compared"
    for sentence in does(compared["swap"]):
        yield "changes", sentence
    for sentence in worries(compared):
        yield "worries", sentence


def does(swap: Swap | None) -> Iterator[str]:
    """What changes, and for whom."""
    if swap is None:
        yield "Who would be decided otherwise is not known: there are no applications that both were given."
        return
    gained, lost = swap["approved_instead"], swap["denied_instead"]
    if not gained["rows"] and not lost["rows"]:
        yield f"All {swap['rows']:,} applications are decided alike."
        return
    share = words.percent((gained["rows"] + lost["rows"]) / swap["rows"])
    yield (
        f"Of {swap['rows']:,} applications, {gained['rows'] + lost['rows']:,} ({share}) are decided otherwise: "
        f"{_told(gained, 'approved')}, {_told(lost, 'denied')}."
    )
    for column, groups in swap["groups"].items():
        changed = [
            f"{column} {name} {words.more_points(group['change']['value'])}"
            for name, group in sorted(groups.items(), key=lambda found: found[1]["change"]["value"])
            if not group["change"]["low"] <= 0 <= group["change"]["high"]
        ]
        yield (
            f"Approved more or less often than before: {'; '.join(changed)}."
            if changed
            else f"No group of {column} is approved more or less often than before, by more than chance explains."
        )


def _told(swapped: Swapped, how: str) -> str:
    rows = swapped["rows"]
    labelled = f" ({words.percent(swapped['creditworthy'] / rows)} of them labelled approve)" if rows else ""
    return f"{rows:,} {how} instead{labelled}"


def worries(compared: Compared) -> Iterator[str]:
    """What is worse than with the champion, and what one must know to read the rest."""
    differences, swap = compared["differences"], compared["swap"]
    area, accuracy = differences["roc_auc"], differences["accuracy"]
    if area is not None and area["high"] < 0:
        yield f"It ranks applicants worse: its area under ROC is smaller by {-area['value']:.4f}."
    if accuracy is not None and accuracy["high"] < 0:
        yield f"It is right less often: its accuracy is lower by {words.percentage_points(-accuracy['value'])}."
    for column, groups in differences["groups"].items():
        for name, change in groups.items():
            if change["high"] < 0:
                yield f"It is right less often about {column} {name}, by {words.percentage_points(-change['value'])}."
    if differences["gap"] is not None and round(differences["gap"], 3) > 0:
        yield f"The gap between groups is wider by {words.percentage_points(differences['gap'])}."
    for column, of_group in swap["groups"].items() if swap else ():
        gain = [f"{column} {name}" for name, group in of_group.items() if group["change"]["low"] > 0]
        lose = [f"{column} {name}" for name, group in of_group.items() if group["change"]["high"] < 0]
        if gain and lose:
            yield f"It takes approvals from {', '.join(lose)} and gives some to {', '.join(gain)}."
    for kind, names in compared["contract"].items():
        if names:
            yield f"The contract is another: {kind} {', '.join(names)}."
    if not differences["same_rows"]:
        yield "Each was judged on applications of its own, so that chance is not the same for both."
    elif compared["champion"]["trained_at"] != compared["model"]["trained_at"]:
        yield (
            "If the champion was trained on some of these applications, it looks better here than it is; that may "
            "hold a model back, but lets none through."
        )
