"""Whether decisions in service still look like those that the model was trained and judged on.

Each thing that is watched (every field, the score, approvals, first reasons, refusals) has a detector. Day by day it
weighs two predictions of the day's counts: from the recent past alone, and from the reference together with everything
since. While both are alike the second is the better one, and evidence cannot grow. (A test that took the reference's
shares as exact would raise an alarm in most years.) Evidence may begin on any day of a year, and an alarm needs the
number of detectors divided by alpha. So all of them together raise a false alarm in at most the share `alpha` of years,
though they are looked at daily. docs/monitoring.md has the simulations.

Shin, Ramdas, Rinaldo: E-detectors, 2022: https://arxiv.org/abs/2203.03532
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from math import exp, inf, log, log1p
from typing import TYPE_CHECKING, Any

from lambda_app.reasons import by_bin
from operations.errors import UnreadableInput
from operations.sequential import PRIOR, log_mixture

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from operations.monitor.tally import Tallies, Tally

ALPHA = 0.05
FORGETTING = 0.9
# Half of the evidence is for a drift since the release, the other half for one that begins on any day of a year.
FROM_START = 1 / 2
RESTART = 1 / 2 / 365
# With fewer decisions not even a shift of ten points is seen.
LEAST = 200
# Where the manifest says nothing about a share, this many first days with decisions are the reference.
FIRST_DAYS = 7


class Detector:
    """Evidence, day by day, that counts are no longer like the reference and the recent past together.

    Parameters
    ----------
    reference : sequence of float
        Counts.

    Attributes
    ----------
    log_evidence : float
        The logarithm of the evidence after the last day.
    """

    def __init__(self, reference: Sequence[float]) -> None:
        self._all = [PRIOR + count for count in reference]
        self._recent = [PRIOR] * len(reference)
        self.log_evidence = log(FROM_START)

    def look(self, counts: Sequence[int]) -> float:
        """Take one more day's counts; the evidence after it."""
        if not any(counts):
            return self.log_evidence
        gain = log_mixture(counts, self._recent) - log_mixture(counts, self._all)
        self.log_evidence = gain + _log_sum(self.log_evidence, log(RESTART))
        self._all = [past + count for past, count in zip(self._all, counts, strict=True)]
        self._recent = [
            FORGETTING * (past - PRIOR) + PRIOR + count for past, count in zip(self._recent, counts, strict=True)
        ]
        return self.log_evidence


def _log_sum(one: float, other: float) -> float:
    high, low = max(one, other), min(one, other)
    return high + log1p(exp(low - high))


@dataclass(frozen=True)
class Watched:
    """One thing that is watched.

    Attributes
    ----------
    name : str
        A field's name, or "score", "approvals", "reasons" or "refusals".
    kind : str
        "field", or "decision" for what follows from the fields.
    labels : tuple of str
        What each of its bins is called.
    reference : tuple of float
        Counts; all zero if the first days of the log stand in for them.
    """

    name: str
    kind: str
    labels: tuple[str, ...]
    reference: tuple[float, ...]

    def counts(self, tally: Tally, place: int) -> list[int]:
        """A tally's counts of it, by its place among the fields.

        Raises
        ------
        UnreadableInput
            The log has a bin that the manifest does not have.
        """
        found: Mapping[Any, int]
        keys: Sequence[Any] = range(len(self.labels))
        if self.name == "approvals" and self.kind != "field":
            return [tally.approvals, tally.denials]
        if self.name == "refusals" and self.kind != "field":
            return [tally.refusals, tally.decisions]
        if self.name == "reasons" and self.kind != "field":
            found, keys = tally.reasons, self.labels
        else:
            found = tally.fields[place] if self.kind == "field" else tally.score
        counts = [found.get(key, 0) for key in keys]
        if sum(counts) != sum(found.values()):
            raise UnreadableInput(
                "the log", f"{self.name} has bins that the manifest does not have; name its own artifact"
            )
        return counts


@dataclass
class Found:
    """What became of one watched thing.

    Attributes
    ----------
    watched : Watched
    reference, counts : list of float
        Of each bin: in the reference, and in all that was read.
    evidence : list of float
        The logarithm of the evidence after each day, divided by what an alarm needs: above 0 is an alarm.
    since : str or None
        The first day of an alarm that still holds.
    """

    watched: Watched
    reference: list[float]
    counts: list[float]
    evidence: list[float] = field(default_factory=list)
    since: str | None = None

    @property
    def expected(self) -> list[float]:
        """The share of each bin in the reference."""
        return _shares(self.reference)

    @property
    def seen(self) -> list[float]:
        """The share of each bin in all that was read."""
        return _shares(self.counts)

    @property
    def drifted(self) -> bool:
        """Whether its alarm holds after the last day."""
        return bool(self.evidence) and self.evidence[-1] >= 0

    @property
    def stability_index(self) -> float:
        """The population stability index: 0 for equal shares. A size for people to read, not a test.

        Half a count is added to each bin, so that an empty one is no infinity.
        """
        then, now = (_shares([count + PRIOR for count in counts]) for counts in (self.reference, self.counts))
        return sum((seen - expected) * log(seen / expected) for seen, expected in zip(now, then, strict=True))

    @property
    def moved(self) -> tuple[str, float, float]:
        """The bin that moved most, and its shares: expected, and seen."""
        pairs = list(zip(self.watched.labels, self.expected, self.seen, strict=True))
        return max(pairs, key=lambda pair: abs(pair[2] - pair[1]))


@dataclass(frozen=True)
class Drift:
    """What a look at the log has found.

    Attributes
    ----------
    model_version : str
    days : list of str
    decisions : int
    alpha : float
    found : list of Found
        Worst first.
    others : dict of str to int
        The decisions of other models in the same log, which are not compared.
    """

    model_version: str
    days: list[str]
    decisions: int
    alpha: float
    found: list[Found]
    others: dict[str, int]

    @property
    def too_few(self) -> bool:
        """Whether there are not enough decisions to say anything."""
        return self.decisions < LEAST

    @property
    def drifted(self) -> list[Found]:
        """What has drifted, worst first."""
        return [] if self.too_few else [found for found in self.found if found.drifted]

    @property
    def verdict(self) -> str:
        """One of "too few", "drifted" and "quiet"."""
        return "too few" if self.too_few else "drifted" if self.drifted else "quiet"


def watch(manifest: Mapping[str, Any], tallies: Tallies, alpha: float = ALPHA) -> Drift:
    """Compare the decisions of a model with what its manifest expects.

    Parameters
    ----------
    manifest : mapping
    tallies : Tallies
        From the first day of the model on: the guarantee is for looking at the whole of it every day.
    alpha : float
        The share of years in which a false alarm is tolerated.

    Raises
    ------
    UnreadableInput
        The manifest has no bins, or the log has others.
    """
    version = str(manifest.get("model_version"))
    daily = list(tallies.daily(version))
    watched = watched_by(manifest)
    total = tallies.of(model_version=version)
    found = [_follow(one, place, daily, total, log(len(watched) / alpha)) for place, one in enumerate(watched)]
    found.sort(key=lambda one: -one.evidence[-1] if one.evidence else inf)
    others = {model: decisions for model, decisions in tallies.models.items() if model != version}
    return Drift(version, [day for day, _ in daily], total.decisions, alpha, found, others)


def _follow(watched: Watched, place: int, daily: list[tuple[str, Tally]], total: Tally, needed: float) -> Found:
    days = [(day, watched.counts(tally, place)) for day, tally in daily]
    reference = list(watched.reference)
    if not any(reference):
        first = [counts for _, counts in days if any(counts)][:FIRST_DAYS]
        reference = [float(sum(column)) for column in zip(*first, strict=True)] or [0.0] * len(watched.labels)
        days = days[len(first) :]
    found = Found(watched, reference, [float(count) for count in watched.counts(total, place)])
    detector = Detector(reference)
    for day, counts in days:
        found.evidence.append(detector.look(counts) - needed)
        if found.evidence[-1] < 0:
            found.since = None
        elif found.since is None:
            found.since = day
    return found


def _shares(counts: Sequence[float]) -> list[float]:
    """Each count's share; zeros without any."""
    total = sum(counts)
    return [count / total if total else 0.0 for count in counts]


def watched_by(manifest: Mapping[str, Any]) -> list[Watched]:
    """Everything that is watched for a manifest: the fields in order, then what is decided.

    Raises
    ------
    UnreadableInput
        The manifest has no bins with shares.
    """
    try:
        rows = _training_rows(manifest["data"])
        bins, metrics = manifest["bins"], manifest["metrics"]
        kinds = {one["name"]: one["kind"] for one in manifest["contract"]["fields"]}
        watched = [
            Watched(
                one["name"], "field", labels(one, kinds[one["name"]]), tuple(share * rows for share in one["shares"])
            )
            for one in bins["fields"]
        ]
        edges = bins["score"]["edges"]
        expected = manifest.get("expected")
        if expected is None:  # an older manifest: the training rows' scores, and no reasons
            score = [share * rows for share in bins["score"]["shares"]]
            judged, approved, reasons = metrics["rows"], metrics["approval_rate"] * metrics["rows"], Counter[str]()
        else:
            score, judged, approved = expected["score"], expected["rows"], expected["approved"]
            reasons = Counter(expected["reasons"])
        given = by_bin(manifest["contract"]["fields"], bins["fields"])
        codes = sorted({reason["code"] for of_field in given for reason in of_field} | {*reasons, "none"})
        numbered = tuple(f"{low:.3g} to {high:.3g}" for low, high in zip([0, *edges], [*edges, 1], strict=True))
    except (KeyError, TypeError, AttributeError) as err:
        raise UnreadableInput("the manifest", f"lacks what decisions are compared with ({err}); train again") from err
    return [
        *watched,
        Watched("score", "decision", numbered, tuple(score)),
        Watched("approvals", "decision", ("approve", "deny"), (approved, judged - approved)),
        Watched("reasons", "decision", tuple(codes), tuple(float(reasons[code]) for code in codes)),
        Watched("refusals", "decision", ("refused", "decided"), (0.0, 0.0)),
    ]


def labels(field: Mapping[str, Any], kind: str = "float") -> tuple[str, ...]:
    """What people call the bins of a field; that of missing values is the last.

    >>> labels({"name": "Income", "edges": [10.0, 20.0]})
    ('to 10', '10 to 20', 'above 20', 'missing')
    """
    if "words" in field:
        return (*map(str, field["words"]), "missing")
    if kind == "flag" and len(field["edges"]) == 1:
        return ("0", "1", "missing")
    edges = [f"{edge:g}" if edge % 1 else f"{edge:.0f}" for edge in field["edges"]]
    if not edges:
        return ("any", "missing")
    between = (f"{low} to {high}" for low, high in pairwise(edges))
    return (f"to {edges[0]}", *between, f"above {edges[-1]}", "missing")


def _training_rows(data: Mapping[str, Any]) -> int:
    split = data.get("split") or {}
    return int(split.get("training") or data["rows"])
