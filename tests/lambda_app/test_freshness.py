"""How old a model may be, and what the service says and does when it is older."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from lambda_app.freshness import Age
from tests.serving import Service

APPROVED = {"Num_Children": 2, "Income": 500_000, "Own_Car": 1, "Own_Housing": 1}
HEALTH = {"rawPath": "/health", "requestContext": {"http": {"method": "GET"}}}
LIMITS = {"warn_days": 10, "expire_days": 35}


def aged(by_hand: Path, directory: Path, days: float, limits: Any = LIMITS) -> Path:
    """The artifact, trained that many days ago."""
    copy = Path(shutil.copytree(by_hand, directory / f"{days} days"))
    path = copy / "manifest.json"
    trained_at = (datetime.now(UTC) - timedelta(days=days)).isoformat()
    path.write_text(json.dumps({**json.loads(path.read_text()), "trained_at": trained_at, "freshness": limits}))
    return copy


@pytest.mark.parametrize(
    ("days", "stage", "staleness"), [(0, "ok", 0), (9.9, "ok", 0), (10.1, "stale", 1), (35.1, "expired", 2)]
)
def test_health_and_metrics_say_how_old_it_is(
    days: float, stage: str, staleness: int, by_hand: Path, tmp_path: Path
) -> None:
    service = Service(aged(by_hand, tmp_path, days))

    assert (service(HEALTH).status, service(HEALTH).body["status"]) == (200, stage)
    answer = service(APPROVED)
    assert answer.status == 200
    assert answer.metrics[0]["Staleness"] == staleness
    assert answer.metrics[0]["ModelAge"] == pytest.approx(days, abs=0.1)


def test_an_expired_model_refuses_by_a_setting(by_hand: Path, tmp_path: Path) -> None:
    service = Service(aged(by_hand, tmp_path, 36), EXPIRED_MODEL="refuse")

    refused = service(APPROVED)

    assert (refused.status, refused.body["title"]) == (503, "The model is too old to decide")
    assert refused.lines[0]["problem"] == "model-expired"
    changes = {"rawPath": "/changes", "requestContext": {"http": {"method": "POST"}}, "body": json.dumps(APPROVED)}
    assert service(changes).status == 503
    assert (service(HEALTH).status, service(HEALTH).body["status"]) == (503, "expired")
    assert service({"Items": [APPROVED]}).error == "Expired"


def test_a_stale_model_decides_under_the_same_setting(by_hand: Path, tmp_path: Path) -> None:
    assert Service(aged(by_hand, tmp_path, 34), EXPIRED_MODEL="refuse")(APPROVED).status == 200


@pytest.mark.parametrize("limits", [None, {}, "soon", {"expire_days": None}], ids=str)
def test_without_limits_nothing_expires(limits: object, by_hand: Path, tmp_path: Path) -> None:
    service = Service(aged(by_hand, tmp_path, 4000, limits), EXPIRED_MODEL="refuse")

    assert service(HEALTH).body["status"] == "ok"
    assert service(APPROVED).status == 200


def test_a_time_without_a_zone_is_utc() -> None:
    assert Age({"trained_at": "1970-01-02"}).trained == 86_400
