"""`model adopt`: another framework's model is judged, explained and served as its framework predicts, or refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd
import pytest

from lambda_app import artifact
from lambda_app.decision import Decider
from model.applicant import Applicant
from model.contract.fields import fields_of
from model.contract.loading import load_contract
from model.data.encoding import values_of
from model.errors import ExportError
from model.formats.onnx import adopted
from scripts.frameworks import judged
from tests.onnx.adopting import FRAMEWORKS, HERE, adopt
from tests.serving import Service
from tests.trainings import MIXED, columns_of

if TYPE_CHECKING:
    from pathlib import Path

    from lambda_app.formats.estimator import Estimator

FIELDS = fields_of(Applicant)


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_it_decides_as_its_framework_predicts(name: str, tmp_path: Path) -> None:
    # Given a model of another framework, and the framework's own predictions of 10,000 applications
    directory, predictions = adopt(name, tmp_path)
    opened = artifact.load(str(directory))
    rows = judged()
    # When the service estimates them
    found = cast("Estimator", opened.scorer).probabilities(rows)
    # Then it does so alike, decides alike, one at a time as well as offline
    threshold = opened.manifest["threshold"]
    assert np.abs(found - predictions).max() < 1e-6
    assert ((found >= threshold) == (predictions >= threshold)).all()
    service = Service(directory)
    applications = [values_of(row, FIELDS) for row in rows[:1000]]
    answers = service(applications).body["predictions"]
    assert [answer["probability"] for answer in answers] == found[:1000].tolist()
    assert columns_of(directory).probabilities(rows[:1000]).tolist() == found[:1000].tolist()
    # And each denial has reasons, which add up
    decider, denied = Decider(opened), 0
    for application, answer in zip(applications[:200], answers, strict=False):
        if answer["decision"] == "deny":
            denied += 1
            scored = decider.score(application)
            shortfalls = opened.scorer.shortfalls(scored.values, scored.bins)
            reference = opened.manifest["reference"]["values"]
            gap = decider.score(reference).probability - scored.probability
            assert sum(shortfalls) == pytest.approx(gap, abs=1e-6)
            assert answer["reasons"]
    assert denied > 50
    # And its report says what nobody here can know
    report = (directory / "model_metrics.html").read_text(encoding="utf-8")
    assert "nothing here can tell whether it has seen the applications that judge it" in report
    assert "not seen in training" not in report
    manifest = opened.manifest
    assert (manifest["format"], manifest["gate"]["passed"], manifest["parity"]["different_decisions"]) == (
        "onnx",
        True,
        0,
    )


def test_a_given_cutoff_is_kept_and_the_form_offers_no_changes(tmp_path: Path) -> None:
    from model.commands import main

    words = [
        "adopt",
        "--onnx",
        str(HERE / "keras.onnx"),
        "--rows",
        "20000",
        "--out",
        str(tmp_path),
        "--threshold",
        "0.6",
    ]
    assert main(words) == 0
    assert json.loads((tmp_path / "manifest.json").read_text())["threshold"] == 0.6
    event = {"rawPath": "/changes", "requestContext": {"http": {"method": "POST"}}}
    denied = {"Num_Children": 1, "Income": 20_000, "Own_Car": 0, "Own_Housing": 0}
    answer = Service(tmp_path)({**event, "body": json.dumps(denied)})
    assert (answer.body["decision"], answer.body["one"], answer.body["two"]) == ("deny", [], [])


def graph(
    outputs: list[tuple[str, list[int | None]]],
    inputs: list[Any] | None = None,
    nodes: list[Any] | None = None,
    opsets: tuple[str, ...] = ("",),
) -> bytes:
    """An ONNX file of one's own; by default the sigmoid of the mean of a matrix's columns, as its only output."""
    from onnx import TensorProto, helper

    given = inputs or [("input", TensorProto.FLOAT, [None, 4])]
    first = given[0][0]
    steps = nodes or [
        helper.make_node("ReduceMean", [first], ["mean"], axes=[1], keepdims=1),
        helper.make_node("Sigmoid", ["mean"], [outputs[0][0]]),
    ]
    made = helper.make_graph(
        steps,
        "test",
        [helper.make_tensor_value_info(name, kind, shape) for name, kind, shape in given],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs],
    )
    imports = [helper.make_opsetid(domain, 13 if not domain else 1) for domain in opsets]
    return bytes(helper.make_model(made, opset_imports=imports, ir_version=8).SerializeToString())


def test_what_is_no_onnx_is_refused() -> None:
    for content in (b"", b"PK\x03\x04", b"\x80\x04N.", graph([("p", [None, 1])])[:-20]):
        with pytest.raises(ExportError, match="is no ONNX model that onnxruntime can run by itself"):
            adopted(content, FIELDS, None, None)


def test_a_plain_graph_is_taken() -> None:
    model = adopted(graph([("p", [None, 1])]), FIELDS, None, None)
    assert model.predict_proba(np.array([[0.0, 0.0, 0.0, 0.0], [4.0, 0.0, 0.0, 0.0]]))[:, 1].tolist() == pytest.approx(
        [0.5, 1 / (1 + np.exp(-1.0))]
    )


def test_what_does_not_fit_the_contract_is_refused() -> None:
    from onnx import TensorProto, helper

    def refused(message: str, content: bytes, **options: Any) -> None:
        with pytest.raises(ExportError, match=message):
            adopted(content, FIELDS, options.get("output"), options.get("column"))

    p = [("p", [None, 1])]
    refused("takes 5 columns, and the contract has 4 fields", graph(p, [("input", TensorProto.FLOAT, [None, 5])]))
    refused(
        r"takes tensor\(int64\); one matrix of all fields must be of floats",
        graph(
            p,
            [("input", TensorProto.INT64, [None, 4])],
            [
                helper.make_node("Cast", ["input"], ["cast"], to=TensorProto.FLOAT),
                helper.make_node("ReduceMean", ["cast"], ["mean"], axes=[1], keepdims=1),
                helper.make_node("Sigmoid", ["mean"], ["p"]),
            ],
        ),
    )
    other = [("Income", TensorProto.FLOAT, [None, 1]), ("Score", TensorProto.FLOAT, [None, 1])]
    add = [helper.make_node("Add", ["Income", "Score"], ["sum"]), helper.make_node("Sigmoid", ["sum"], ["p"])]
    refused("takes the input Score, which is no field", graph(p, other, add))
    refused("and none is number 3", graph(p), column=3)
    refused("has 1 outputs of floats \\(p\\): name one with --output", graph(p), output="q")
    # No probability: twice the mean, of the smallest application 0, is one; plus two, it is none
    two = helper.make_tensor("two", TensorProto.FLOAT, [1], [2.0])
    beyond = [
        helper.make_node("Constant", [], ["two"], value=two),
        helper.make_node("ReduceMean", ["input"], ["mean"], axes=[1], keepdims=1),
        helper.make_node("Add", ["mean", "two"], ["p"]),
    ]
    refused("something that is no probability", graph(p, None, beyond))
    refused(
        "is no ONNX model that onnxruntime can run by itself",
        graph(p, None, [helper.make_node("Evil", ["input"], ["p"], domain="evil")], ("", "evil")),
    )


def test_inputs_by_name_get_words_as_text_and_missing_values() -> None:
    """A pipeline that takes a column for each field, by name."""
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import FloatTensorType, StringTensorType
    from sklearn.compose import ColumnTransformer
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import OneHotEncoder

    fields = fields_of(load_contract(MIXED))
    words = [spec.name for spec in fields if spec.words]
    numbers = [spec.name for spec in fields if not spec.words]
    generator = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            spec.name: generator.choice([*spec.words, *([""] if spec.optional else [])], 400)
            if spec.words
            else np.where(
                generator.random(400) < (0.2 if spec.optional else 0),
                np.nan,
                generator.integers(int(spec.minimum or 0), int(spec.maximum or 1) + 1, 400),
            ).astype(np.float32)
            for spec in fields
        }
    )
    coded = ColumnTransformer(
        [
            ("words", OneHotEncoder(handle_unknown="ignore"), words),
            ("numbers", SimpleImputer(strategy="median"), numbers),
        ]
    )
    pipeline = Pipeline([("coded", coded), ("forest", RandomForestClassifier(20, random_state=0))])
    pipeline.fit(frame, generator.integers(0, 2, 400))
    types = [(spec.name, (StringTensorType if spec.words else FloatTensorType)([None, 1])) for spec in fields]
    content = to_onnx(pipeline, initial_types=types, options={"zipmap": False}).SerializeToString()

    model = adopted(content, fields, None, None)

    matrix = np.array(
        [
            [
                (np.nan if row[spec.name] == "" else spec.words.index(row[spec.name])) if spec.words else row[spec.name]
                for spec in fields
            ]
            for row in frame.to_dict("records")
        ],
        dtype=np.float64,
    )
    assert np.abs(model.predict_proba(matrix)[:, 1] - pipeline.predict_proba(frame)[:, 1]).max() < 1e-6
