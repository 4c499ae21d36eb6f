"""Writes the results: `results.json`, `docs/benchmarks.md` with its picture, and the README's table."""

from __future__ import annotations

import json
import re
from pathlib import Path

from benchmarks.figures import Results, SpreadData
from benchmarks.search_path import ROOT

RESULTS = ROOT / "benchmarks" / "results.json"
PAGE = ROOT / "docs" / "benchmarks.md"
# What other commands measured stands below.
MARK = "<!-- What stands above is written by `make bench`. -->\n"
PICTURE = ROOT / "docs" / "benchmarks.svg"
README = ROOT / "README.md"
BLOCK = re.compile(r"(?<=<!-- bench -->\n).*?(?=<!-- /bench -->)", re.DOTALL)


def write(results: Results) -> None:
    """Write all results: on the page above `MARK`, in the README between `<!-- bench -->` and `<!-- /bench -->`."""
    RESULTS.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    _, mark, below = PAGE.read_text(encoding="utf-8").partition(MARK) if PAGE.exists() else ("", MARK, "")
    PAGE.write_text(page(results) + mark + below, encoding="utf-8")
    draw(results, PICTURE)
    if README.exists():
        readme = README.read_text(encoding="utf-8")
        README.write_text(BLOCK.sub(lambda _: figures(results), readme), encoding="utf-8")


def figures(results: Results) -> str:
    """The figures and their targets, as a Markdown table."""
    lines = ["| what | measured (quartiles) | repeats | to reach | |", "| --- | --- | --- | --- | --- |"]
    for figure in results["figures"]:
        sign = "≤" if figure["at_most"] else "≥"
        reach = f"{sign} {_short(figure['reach'])} {figure['unit']}"
        lines.append(
            f"| {figure['what']} | {_spread(figure['measured'], figure['unit'])} | {figure['measured']['repeats']} | "
            f"{reach} | "
            f"{'reached' if figure['met'] else '**missed**'} |"
        )
    return "\n".join(lines) + "\n"


def page(results: Results) -> str:
    """The content of `docs/benchmarks.md` above `MARK`."""
    machine = results["machine"]
    contenders = ["| | cold start, ms | warm request, ms | peak memory, MB |", "| --- | --- | --- | --- |"]
    for found in results["contenders"].values():
        cells = [found["label"], _spread(found["cold_ms"]), _spread(found["warm_ms"]), _spread(found["peak_mb"])]
        contenders.append(f"| {' | '.join(cells)} |")
    handler = ["| decision | p50, µs | p99, µs |", "| --- | --- | --- |"]
    handler += [
        f"| {name} | {_spread(found['p50'])} | {_spread(found['p99'])} |"
        for name, found in results["handler_us"].items()
    ]
    batch = results["batch"]
    return f"""# Benchmarks

`make bench` measured this on {results["measured_at"]}, wrote this page and drew its picture:
Python {machine["python"]}, {machine["processors"]} processors ({machine["processor"]}), {machine["system"]}.

{figures(results)}
Numbers are medians, with quartiles in brackets, over the number of repeats in the table. The two sides of a ratio are
measured alternately; the ratio is the median of the ratios of all turns.

![Cold start and peak memory of each contender](benchmarks.svg)

## Under AWS's runtime interface emulator

{chr(10).join(contenders)}

- In each of {results["rounds"]} rounds every contender runs once, in turn. The emulator's process starts, and gets
  an application as soon as it listens. The cold start is the time until the answer. {results["warm_requests"]} more
  requests on the same connection are the warm ones, and a round counts their median. Then the peak memory of the
  function's own process is read (VmHWM).
- All contenders run the same interpreter with the same flags and module search path, and with compiled bytecode.
  Start-up hooks of installed packages (`*.pth`) are left out: no Lambda image has them.
- *empty handler* returns a constant. *joblib + scikit-learn* is the public tutorial's way in its leanest form:
  a depth-3 tree from `joblib.load`, a numpy row, no pandas, no checks, no log. *onnxruntime* runs the same tree.
  This service also checks the artifact's digest and each application, gives reasons and writes its log line.
- The emulator stands in for Lambda. On Lambda, the download of the image and a smaller share of a processor add to
  the times of all contenders.

## The handler by itself

{chr(10).join(handler)}

One direct invocation in one process, from the event to the envelope, log line included;
{results["handler_calls"]:,} calls in each of {len(results["handler_runs"])} fresh processes.

## Offline batch

For {batch["rows"]:,} applications, the artifact's tables score
{_spread(batch["tables"])} million per second on one thread;
`pipeline.predict_proba` scores {_spread(batch["pipeline"])} million, on as many threads as scikit-learn chooses;
{batch["tables"]["repeats"]} alternating repeats. The probabilities of {batch["compared"]:,} of the applications
were compared: they differ by less than 1e-9.
"""


def draw(results: Results, path: Path) -> None:
    """Draw bars of cold start and peak memory, one per contender."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    contenders = list(results["contenders"].values())[::-1]
    labels = [found["label"] for found in contenders]
    colours = ["#0b6e4f" if found["label"] == "this service" else "#9aa5b1" for found in contenders]
    # The same numbers draw the same bytes.
    with mpl.rc_context({"svg.hashsalt": "benchmarks", "svg.fonttype": "none", "font.size": 9}):
        figure = Figure(figsize=(9, 2.4), layout="constrained")
        measured = {
            "cold start, ms": [found["cold_ms"] for found in contenders],
            "peak memory, MB": [found["peak_mb"] for found in contenders],
        }
        for place, (title, spreads) in enumerate(measured.items()):
            axes = figure.add_subplot(1, 2, place + 1)
            medians = [spread["median"] for spread in spreads]
            errors = [
                [spread["median"] - spread["low"] for spread in spreads],
                [spread["high"] - spread["median"] for spread in spreads],
            ]
            bars = axes.barh(labels, medians, xerr=errors, color=colours, ecolor="#52606d")
            axes.bar_label(bars, [f" {_short(median)}" for median in medians], padding=4)
            axes.set_title(title, loc="left")
            axes.margins(x=0.2)
            axes.spines[["top", "right", "bottom"]].set_visible(False)
            axes.tick_params(bottom=False, labelbottom=False, left=False, labelleft=place == 0)
        figure.savefig(path, metadata={"Date": None})


def _spread(spread: SpreadData, unit: str = "") -> str:
    written = f"{_short(spread['median'])} {unit}".strip()
    return f"{written} ({_short(spread['low'])} to {_short(spread['high'])})"


def _short(number: float) -> str:
    """Three significant digits, without an exponent."""
    return f"{number:.0f}" if abs(number) >= 100 else f"{number:.3g}"
