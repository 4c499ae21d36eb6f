"""The models that `benchmarks.quality` compares: each is fitted on some applications, and estimates others.

Each has its authors' settings, but for what is said here.
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import lightgbm
import numpy as np
import pandas as pd
import xgboost
from interpret.glassbox import ExplainableBoostingClassifier
from optbinning import BinningProcess
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from model.fit.iterations import best_iterations
from model.fit.scorecard import fit_scorecard
from model.fit.settings import TrainingSettings
from model.formats.scorecard import tables_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from model.data.applications import Applications

    Floats = NDArray[np.float64]
    # The probabilities of the second applications, and the entries of the model: what somebody would have to look
    # through who wants to know all that it can say.
    Peer = Callable[[Applications, Applications], tuple[Floats, int]]

SETTINGS = TrainingSettings()
# As many trees as could help, and how long to wait for one that does.
RATE, TREES, PATIENCE = 0.05, 2_000, 50


def scorecard(training: Applications, others: Applications) -> tuple[Floats, int]:
    """The project's scorecard, as `model train` fits it. Entries: points."""
    labels = training.approved.astype(np.int64)
    settings = replace(SETTINGS, max_iter=best_iterations(training, SETTINGS))
    pipeline = fit_scorecard(training.fields, training.matrix, labels, settings).pipeline
    entries = sum(len(field["points"]) for field in tables_of(pipeline, training)["fields"])
    return pipeline.predict_proba(others.matrix)[:, 1], entries


def logistic_regression(training: Applications, others: Applications) -> tuple[Floats, int]:
    """Standardised numbers, the median where one is missing and a mark for that, words as 0 and 1. Entries: weights."""
    words = [place for place, spec in enumerate(training.fields) if spec.words]
    numbers = [place for place, spec in enumerate(training.fields) if not spec.words]
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), words),
        (make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler()), numbers),
    )
    model = make_pipeline(columns, LogisticRegression(max_iter=10_000)).fit(training.matrix, training.approved)
    return model.predict_proba(others.matrix)[:, 1], model[-1].coef_.size


def explainable_boosting(
    training: Applications, others: Applications, interactions: int | str = 0
) -> tuple[Floats, int]:
    """An EBM; its own settings have interactions, which no table of single fields can hold. Entries: cells."""
    kinds = ["nominal" if spec.words else "continuous" for spec in training.fields]
    model: Any = ExplainableBoostingClassifier(
        feature_types=kinds, interactions=interactions, n_jobs=1, random_state=SETTINGS.seed
    )
    with warnings.catch_warnings():
        # Its plots would not show missing values; nothing is plotted here.
        warnings.filterwarnings("ignore", "Missing values detected")
        model.fit(training.matrix, training.approved)
    return model.predict_proba(others.matrix)[:, 1], sum(term.size for term in model.term_scores_)


def with_interactions(training: Applications, others: Applications) -> tuple[Floats, int]:
    """An EBM with its own settings."""
    return explainable_boosting(training, others, interactions="3x")


def optimal_binning(training: Applications, others: Applications) -> tuple[Floats, int]:
    """OptBinning's bins, then a logistic regression on their weights of evidence, as its scorecard. Entries: bins."""
    words = [spec.name for spec in training.fields if spec.words]
    process = BinningProcess([spec.name for spec in training.fields], categorical_variables=words)
    model = make_pipeline(process, LogisticRegression(max_iter=10_000))
    model.fit(_frame(training), training.approved.astype(np.int64))
    tables = (process.get_binned_variable(spec.name).binning_table.build(add_totals=False) for spec in training.fields)
    return model.predict_proba(_frame(others))[:, 1], sum(len(table) for table in tables)


def light_gbm(training: Applications, others: Applications) -> tuple[Floats, int]:
    """LightGBM, with as many trees as new data gain from. Entries: leaves."""
    chosen: dict[str, Any] = {"learning_rate": RATE, "n_jobs": 1, "random_state": SETTINGS.seed, "verbose": -1}
    fitted, stopping = _early(training)
    search = lightgbm.LGBMClassifier(n_estimators=TREES, **chosen).fit(
        *fitted,
        eval_X=stopping[0],
        eval_y=stopping[1],
        eval_metric="binary_logloss",
        callbacks=[lightgbm.early_stopping(PATIENCE, verbose=False)],
    )
    model = lightgbm.LGBMClassifier(n_estimators=max(1, search.best_iteration_), **chosen)
    model.fit(_frame(training), training.approved)
    leaves = sum(tree["num_leaves"] for tree in model.booster_.dump_model()["tree_info"])
    return model.predict_proba(_frame(others))[:, 1], leaves


def xg_boost(training: Applications, others: Applications) -> tuple[Floats, int]:
    """XGBoost, with as many trees as new data gain from. Entries: leaves."""
    chosen: dict[str, Any] = {"learning_rate": RATE, "n_jobs": 1, "random_state": SETTINGS.seed}
    fitted, stopping = _early(training)
    search = xgboost.XGBClassifier(
        n_estimators=TREES, early_stopping_rounds=PATIENCE, eval_metric="logloss", enable_categorical=True, **chosen
    ).fit(*fitted, eval_set=[stopping], verbose=False)
    model = xgboost.XGBClassifier(n_estimators=search.best_iteration + 1, enable_categorical=True, **chosen)
    model.fit(_frame(training), training.approved)
    leaves = int((model.get_booster().trees_to_dataframe()["Feature"] == "Leaf").sum())
    return model.predict_proba(_frame(others))[:, 1], leaves


PEERS: dict[str, Peer] = {
    "scorecard": scorecard,
    "logistic regression": logistic_regression,
    "EBM, no interactions": explainable_boosting,
    "EBM": with_interactions,
    "OptBinning": optimal_binning,
    "LightGBM": light_gbm,
    "XGBoost": xg_boost,
}


def _frame(applications: Applications) -> pd.DataFrame:
    """The columns by name, with words as categories."""
    columns = {}
    for spec, column in zip(applications.fields, applications.matrix.T, strict=True):
        if spec.words:
            codes = np.nan_to_num(column, nan=-1).astype(np.int64)
            columns[spec.name] = pd.Series(pd.Categorical.from_codes(codes, pd.Index(spec.words)))
        else:
            columns[spec.name] = pd.Series(column)
    return pd.DataFrame(columns)


def _early(training: Applications) -> tuple[tuple[pd.DataFrame, Any], tuple[pd.DataFrame, Any]]:
    """Four fifths of the rows, to add trees by, and the last fifth, to say when to stop."""
    rows = np.arange(len(training.approved))
    fitted, stopping = train_test_split(rows, test_size=0.2, random_state=SETTINGS.seed, stratify=training.approved)
    frame = _frame(training)
    return (frame.iloc[fitted], training.approved[fitted]), (frame.iloc[stopping], training.approved[stopping])
