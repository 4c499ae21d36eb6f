"""What the commands say on the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from model.data.rejects import one_line

if TYPE_CHECKING:
    from model.data.applications import Applications
    from model.judge.gate import Verdict
    from model.run import TrainingRun

GATE_FAILED = 3


def report(done: TrainingRun) -> int:
    manifest = done.manifest
    metrics, parity = manifest["metrics"], manifest["parity"]
    say("model", f"{manifest['format']} {manifest['model_version']}, approves from {manifest['threshold']:.4f}")
    if manifest["format"] != "onnx":  # whose training is its own affair
        say("iterations", f"{manifest['settings']['max_iter']:,}")
    for value in manifest.get("unsupported", ()):
        say(
            "support",
            f"{value['field']} {value['value']}: {value['rows']:,} training rows, so it gets the points of "
            f"{value['scored_as']}",
        )
    say("hold-out", f"accuracy {metrics['accuracy']:.4f}, ROC AUC {metrics['roc_auc']:.4f}, {metrics['rows']:,} rows")
    for column, figures in metrics["groups"].items():
        gap = figures["equal_opportunity_difference"]
        known = gap["value"] is not None
        size = (
            f"{gap['value']:.4f} [{gap['low']:.4f}, {gap['high']:.4f}]" if known else "unknown: the data cannot show it"
        )
        say(column, f"equal opportunity difference {size}")
    say(
        "parity",
        f"{parity['rows'] + parity['edge_rows']:,} rows: {parity['different_decisions']} decided differently, "
        f"probabilities differ by {parity['largest_difference']:.1e} at most",
    )
    code = say_verdict(done.verdict)
    say("written", str(done.directory))
    return code


def say_verdict(verdict: Verdict) -> int:
    if verdict.passed:
        say("gate", "passed")
        return 0
    say_denials(verdict)
    return GATE_FAILED


def say_denials(verdict: Verdict) -> None:
    for rule, message in verdict.denials:
        say("gate", f"DENIED by rule {rule}: {one_line(message)}")


def say_rejects(applications: Applications, to: TextIO | None = None) -> None:
    if applications.rejects or applications.rejects.rows_left_out:
        say("rejected", str(applications.rejects), to)
    for warning in applications.rejects.warnings:
        say("warning", warning, to)


def say(what: str, text: str, to: TextIO | None = None) -> None:
    print(f"  {what:<10} {text}".replace("\n", "\n" + " " * 11), file=to, flush=True)
