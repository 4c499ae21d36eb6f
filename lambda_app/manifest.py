"""The manifest: what an artifact says about itself, and the identity derived from it.

The manifest's layout is version 1. For a change that older code would misread, raise MANIFEST_VERSION, write the new
layout in `model/formats/export.py`, and say in CHANGELOG.md that images must be rebuilt from a new export. Adding a key
that older code ignores needs none of this.

The types below exist only for the type checker: importing this module builds none of them.
"""

from __future__ import annotations

import json

# hashlib loads OpenSSL, which adds 2 ms to a cold start; this is the compiled SHA-256 that hashlib falls back on.
try:
    from _sha2 import sha256
except ImportError:
    try:
        from _sha256 import sha256  # Python 3.11
    except ImportError:  # this Python was built without its own hashes
        from hashlib import sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Literal, NotRequired, TypedDict

    class Sentence(TypedDict):
        """An adverse-action reason: its code, and the sentence that the applicant reads."""

        code: str
        text: str

    class Field(TypedDict):
        """One field of the contract: `words` is empty for a number; `code` and `text` are its adverse-action reason.

        `missing` is the reason if the value is missing, `by_word` the reasons of single words, where they differ.
        `change` is there if a person can change the value, and says in which direction.
        """

        name: str
        kind: Literal["int", "float", "flag", "choice"]
        optional: bool
        words: list[str]
        unit: str
        description: str
        direction: Literal["up", "down", "free"]
        code: str
        text: str
        missing: NotRequired[Sentence]
        by_word: NotRequired[dict[str, Sentence]]
        change: NotRequired[Literal["up", "down", "any"]]

    class CarriedContract(TypedDict):
        """The contract as it travels with the model."""

        name: str
        # pydantic-core and JSON Schema define what these may hold.
        core_schema: dict[str, Any]
        json_schema: dict[str, Any]
        fields: list[Field]
        # What the file of applications looks like, where it is not plain; see `model.contract.file`.
        file: NotRequired[dict[str, Any]]
        # The fields that come from a consumer report, if there are any.
        report_fields: NotRequired[list[str]]

    class FieldBins(TypedDict):
        """The bins of one field: `edges` for a number, `words` for a category; see `lambda_app.formats.scorer`."""

        name: str
        edges: NotRequired[list[float]]
        words: NotRequired[list[str]]
        # The share of training rows in each bin; the last one is that of missing values.
        shares: NotRequired[list[float]]

    class ScoreBins(TypedDict):
        """The bins of the probability: tenths of the training rows."""

        edges: list[float]
        shares: list[float]

    class Bins(TypedDict):
        """The bins that the log refers to, and the shares that drift is measured against."""

        fields: list[FieldBins]
        score: ScoreBins

    class Reference(TypedDict):
        """What a denial is compared with: mean `points` and `score` of the narrowly approved, or typical `values`.

        `least_share` is the least share of the shortfall that a reason after the first must explain, 0 to 1.
        """

        points: NotRequired[list[float]]
        score: NotRequired[float]
        values: NotRequired[dict[str, float | int | str | None]]
        least_share: NotRequired[float]

    class Interval(TypedDict):
        """A 95 % interval."""

        low: float
        high: float

    class Difference(TypedDict):
        """The largest difference (or the smallest ratio) between two groups, with an interval that holds for all pairs.

        `lowest` and `highest` are the two groups that `value` is between. All are None if the data cannot show it.
        """

        value: float | None
        low: float | None
        high: float | None
        lowest: str | None
        highest: str | None

    class Estimate(TypedDict):
        """A figure with its 95 % interval."""

        value: float
        low: float
        high: float

    class GroupFigures(TypedDict):
        """One group's figures; `recorded_rate` is the share labelled approve, `estimated_rate` the mean estimate."""

        rows: int
        creditworthy: int
        recorded_rate: float
        estimated_rate: float
        approval_rate: float
        true_positive_rate: float | None
        accuracy: float
        intervals: dict[str, Interval]

    class ColumnFigures(TypedDict):
        """How the groups of one sensitive column differ; defined in `model/judge/groups.py`."""

        by_group: dict[str, GroupFigures]
        smallest_group: int
        smallest_creditworthy: int
        rows_without_group: int
        equal_opportunity_difference: Difference
        demographic_parity_difference: Difference
        adverse_impact_ratio: Difference

    class Confusion(TypedDict):
        """Decisions against recorded outcomes, as counts."""

        true_approve: int
        false_approve: int
        true_deny: int
        false_deny: int

    class Calibration(TypedDict):
        """One tenth of the applicants: the mean estimate, and the share labelled approve with its interval."""

        predicted: float
        observed: float
        rows: int
        interval: Interval

    class CalibrationFit(TypedDict):
        """The logistic regression of the outcome on the estimate's log-odds: 1 and 0 if the estimates are right."""

        slope: Estimate
        intercept: float

    class Skill(TypedDict):
        """How much better the decisions are than the best constant one, in the measure that chose the cut-off.

        `model/judge/skill.py` defines the measures; more is better. `difference` is paired: both decide the same rows.
        """

        measure: Literal["accuracy", "cost", "good_share"]
        constant: Literal["approve all", "deny all"]
        value: float
        constant_value: float
        difference: Estimate

    class Gain(TypedDict):
        """The applicants from the best estimate down to the end of a tenth.

        `share` is their share of all applicants, `lowest` their lowest estimate, `bad_share` the share of them labelled
        deny; `approve` and `deny` are their shares of all applicants with that label.
        """

        share: float
        lowest: float
        bad_share: float
        approve: float
        deny: float

    class Figures(TypedDict):
        """Every figure of a model on labelled applications."""

        rows: int
        accuracy: float
        precision: float
        recall: float
        f1: float
        roc_auc: float | None
        brier: float
        approval_rate: float
        intervals: dict[str, Interval | None]
        confusion: Confusion
        calibration: list[Calibration]
        # None if all outcomes are the same; the fit also if all estimates are, or if they separate the outcomes.
        calibration_fit: CalibrationFit | None
        brier_skill: Estimate | None
        log_loss: float
        # Kolmogorov and Smirnov's distance between the outcomes' estimates, and 2 AUC - 1.
        ks: float | None
        gini: float | None
        # Empty if all outcomes are the same.
        gains: list[Gain]
        skill: Skill
        groups: dict[str, ColumnFigures]
        # The same for each two sensitive columns together, where `rows_without_group` includes the groups that are too
        # small to compare.
        intersections: dict[str, ColumnFigures]
        equal_opportunity_gap: float | None

    class Parity(TypedDict):
        """How the exported model compares with the pipeline that was trained."""

        rows: int
        edge_rows: int
        different_decisions: int
        largest_difference: float

    class Monotonicity(TypedDict):
        """How many pairs were compared, and how many are ranked against a field's direction.

        By `tables`, the pairs are neighbouring bins, all of them, which is a proof; `sampled` pairs are of applicants.
        """

        method: Literal["tables", "sampled"]
        directed_fields: int
        pairs: int
        violations: int

    class Explained(TypedDict):
        """Whether every denial has a reason: proved from the tables, or looked for among sampled denials."""

        method: Literal["tables", "sampled"]
        denials: int
        without_reason: int

    class Expected(TypedDict):
        """Counts on the hold-out: of rows, approvals, each bin of the score, and the denials by their first reason."""

        rows: int
        approved: int
        score: list[int]
        reasons: dict[str, int]

    class FieldLeak(TypedDict):
        """The share of variance that one field explains alone: of the outcome, and of each group's membership."""

        outcome: float
        groups: dict[str, dict[str, float]]

    class Leakage(TypedDict):
        """Signs that the hold-out is no fair test, or that a field stands in for what the model must not see.

        `copied_share` estimates the share of hold-out rows that are copies of training rows, outcome included.
        """

        twin_share: float
        copied_share: float
        fields: dict[str, FieldLeak]

    class Unsupported(TypedDict):
        """A value that training cannot support, and the value whose points it gets."""

        field: str
        value: str
        rows: int
        scored_as: str

    class FieldStrength(TypedDict):
        """A field's information value on the training rows, and its stability index between these and the hold-out."""

        information_value: float
        stability_index: float

    class Strength(TypedDict):
        """The strength of each field, and the stability index of the score."""

        fields: dict[str, FieldStrength]
        score_stability_index: float

    class Denial(TypedDict):
        """One rule of the policy that the model breaks."""

        rule: str
        message: str

    class Gate(TypedDict):
        """The gate's verdict."""

        passed: bool
        denials: list[Denial]

    class Reason(TypedDict):
        """One principal reason for a denial."""

        code: str
        field: str
        text: str

    class Answer(TypedDict):
        """The answer to one application, as sent to the caller."""

        prediction: int
        decision: Literal["approve", "deny"]
        probability: float
        reasons: list[Reason]
        model_version: str
        request_id: str
        # The caller's own key of the application, if it sent one.
        application_id: NotRequired[str]

    # An application as a caller sends it. The contract defines its fields, so their types are known only at run time.
    Application = dict[str, Any]

    class GoldenCase(TypedDict):
        """An invented application, and the answer that every copy of the artifact must give."""

        request: Application
        response: Answer

    class RejectSummary(TypedDict):
        """The rows that were turned away; `by_field` has a count and the first places for each field and rule."""

        rows_read: int
        rows_rejected: int
        # Without a decided outcome, by the contract's word; neither accepted nor rejected.
        rows_left_out: NotRequired[int]
        blank_rows: int
        ignored_columns: list[str]
        by_field: dict[str, dict[str, dict[str, int | list[int]]]]
        # What looks wrong without breaking the contract, in sentences.
        warnings: NotRequired[list[str]]

    class Divided(TypedDict):
        """How the rows were divided: by `seed`, `column`, `date` (the hold-out's first), `group` or `equal rows`."""

        by: str
        column: str | None
        training: int
        holdout: int
        since: NotRequired[str]

    class Freshness(TypedDict):
        """The days after which a model is stale, and after which it should decide no more."""

        warn_days: float
        expire_days: float

    class Data(TypedDict):
        """What the model was trained on; `rejects` summarises the rejected rows. Older manifests lack the last two."""

        source: str
        digest: str
        dated: str | None
        rows: int
        rejects: RejectSummary
        split: NotRequired[Divided]
        weighted_by: NotRequired[str | None]

    class Manifest(TypedDict):
        """`manifest.json`, complete."""

        manifest_version: int
        format: str
        format_version: int
        digest: str
        size: int
        threshold: float
        contract: CarriedContract
        reference: Reference
        bins: Bins
        trained_at: str
        # Older manifests have none, and then nothing expires.
        freshness: NotRequired[Freshness]
        git_commit: str | None
        libraries: dict[str, str]
        python: str
        settings: dict[str, int | float]
        data: Data
        gate: Gate
        golden: list[GoldenCase]
        identity: str
        model_version: str
        metrics: Figures
        parity: Parity
        monotonicity: Monotonicity
        explained: Explained
        # Older manifests have none.
        expected: NotRequired[Expected]
        leakage: Leakage
        strength: Strength
        unsupported: NotRequired[list[Unsupported]]
        # Why the contract has no sensitive column; None if it has one.
        no_sensitive_reason: str | None


MANIFEST_VERSION = 1
# Everything that decides an application; `digest` stands for the model's bytes.
DECIDING = ("format", "format_version", "digest", "contract", "threshold", "reference")


def value_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a value that is present, in a field's core schema: an optional field wraps it twice.

    >>> value_schema({"type": "default", "schema": {"type": "nullable", "schema": {"type": "int"}}})
    {'type': 'int'}
    """
    inner: dict[str, Any] = schema["schema"]["schema"] if schema["type"] == "default" else schema
    return inner


def digest(content: bytes) -> str:
    """The SHA-256 of some bytes, as written in the manifest.

    >>> digest(b"")
    'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
    """
    return "sha256:" + _sha256(content)


def identity(manifest: Mapping[str, object]) -> str:
    """The SHA-256 of everything that decides an application, as written in the manifest.

    Checks compare the whole: two manifests with one identity would take 2^128 tries to find, two with one model version
    no more than 2^24.

    Raises
    ------
    KeyError
        The manifest lacks one of DECIDING.
    """
    return digest(json.dumps({key: manifest[key] for key in DECIDING}, sort_keys=True).encode())


def model_version(identity: str) -> str:
    """The first twelve digits of an identity: what people call the model.

    >>> model_version("sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    'e3b0c44298fc'
    """
    return identity.removeprefix("sha256:")[:12]


def _sha256(content: bytes) -> str:
    hexadecimal: str = sha256(content).hexdigest()
    return hexadecimal
