"""A model is stale by its age or its data's, and dates that cannot be right are refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations import live
from operations.commands import main
from operations.errors import UnreadableInput
from operations.monitor import freshness
from operations.monitor.freshness import AgeLimits

if TYPE_CHECKING:
    from pathlib import Path

    from tests.serving import Service

NOW = datetime(2026, 1, 10, 12, tzinfo=UTC)
TRAINED = "2026-01-09T00:00:00+00:00"
WEEK = AgeLimits(model_days=7, data_days=7)


def _manifest(trained_at: str, dated: str | None = "2026-01-09") -> dict[str, Any]:
    return {"model_version": "abc", "trained_at": trained_at, "data": {"dated": dated}}


def _days_before_today(days: float) -> str:
    return (datetime.now(UTC) - timedelta(days=days)).isoformat()


@pytest.mark.parametrize(
    ("trained_at", "dated", "stale"),
    [
        pytest.param("2026-01-10T00:00:00+00:00", "2026-01-09", (), id="both new"),
        pytest.param("2026-01-03T12:00:00+00:00", "2026-01-09", (), id="exactly at the limit"),
        pytest.param("2026-01-03T11:59:59+00:00", "2026-01-09", ("model",), id="a second over the limit"),
        pytest.param("2026-01-10T00:00:00Z", "2026-01-01", ("data",), id="new model on old data"),
        pytest.param("2026-01-01T00:00:00Z", "2025-12-31T00:00:00Z", ("model", "data"), id="both old"),
        pytest.param("2026-01-10T20:00:00+09:00", None, (), id="another zone, undated data"),
    ],
)
def test_what_is_over_its_limit_is_stale(trained_at: str, dated: str | None, stale: tuple[str, ...]) -> None:
    assert freshness.assess(_manifest(trained_at, dated), "manifest", NOW, WEEK).stale == stale


def test_a_function_in_service_tells_both_ages(service: Service) -> None:
    answered = service(live.MODEL_REQUEST)

    fresh = freshness.assess(answered.body, "ccapproval:live", NOW, WEEK)

    assert fresh.data_age_days == 9.5
    assert fresh.stale == ("model", "data")


@given(age=st.floats(0, 1000), limit=st.floats(0.01, 1000))
def test_staleness_is_age_over_limit(age: float, limit: float) -> None:
    trained = NOW - timedelta(days=age)

    fresh = freshness.assess(_manifest(trained.isoformat(), None), "manifest", NOW, AgeLimits(limit, limit))

    assert bool(fresh.stale) == ((NOW - trained) / timedelta(days=1) > limit)


@pytest.mark.parametrize(
    ("manifest", "reason"),
    [
        pytest.param(_manifest("2026-01-11T00:00:00Z"), "trained_at lies in the future", id="trained in the future"),
        pytest.param(_manifest(TRAINED, "2027-01-01"), "dated lies in the future", id="data from the future"),
        pytest.param(_manifest("lately"), "trained_at is not an ISO 8601 date", id="not a date"),
        pytest.param({"model_version": "abc"}, "trained_at is not", id="no date"),
        pytest.param(_manifest("2026-01-09T00:00:00"), "with a time zone", id="trained in no time zone"),
        pytest.param(_manifest("2026-01-09"), "date and time", id="trained at no time of day"),
        pytest.param(_manifest(TRAINED, "2026-01-09T00:00:00"), "needs a time zone", id="data of no time zone"),
        pytest.param(_manifest(TRAINED, ""), "dated is not an ISO 8601 date", id="data dated with nothing"),
    ],
)
def test_a_date_that_cannot_be_right_is_refused(manifest: dict[str, Any], reason: str) -> None:
    with pytest.raises(UnreadableInput, match=reason):
        freshness.assess(manifest, "manifest", NOW, WEEK)


@pytest.mark.parametrize(
    ("age", "arguments", "code", "stale"),
    [
        pytest.param(1, [], 0, "false", id="new"),
        pytest.param(11, [], 4, "true", id="old"),
        pytest.param(8, ["--limit-days", "9"], 0, "false", id="old, with a higher limit"),
        pytest.param(8, ["--limit-days", "9", "--data-limit-days", "2"], 4, "true", id="old data"),
    ],
)
def test_the_pipeline_gets_an_exit_code_and_variables(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    age: float,
    arguments: list[str],
    code: int,
    stale: str,
) -> None:
    manifest, output = tmp_path / "manifest.json", tmp_path / "output"
    manifest.write_text(json.dumps(_manifest(_days_before_today(age), _days_before_today(age))))

    assert main(["freshness", "--manifest", str(manifest), "--output", str(output), *arguments]) == code

    told = dict(line.split("=") for line in output.read_text().splitlines())
    assert output.read_text() == capsys.readouterr().out
    assert told == {
        "MODEL_VERSION": "abc",
        "MODEL_AGE_DAYS": f"{age:.2f}",
        "DATA_AGE_DAYS": f"{age:.2f}",
        "MODEL_STALE": stale,
    }


@pytest.mark.parametrize("content", [None, b"{", b"[]"], ids=["missing", "not JSON", "not an object"])
def test_a_manifest_that_cannot_be_read_is_not_called_stale(tmp_path: Path, content: bytes | None) -> None:
    manifest = tmp_path / "manifest.json"
    if content is not None:
        manifest.write_bytes(content)

    assert main(["freshness", "--manifest", str(manifest)]) == 1


@pytest.mark.parametrize("days", ["0", "-1", "nan", "inf", "soon"])
def test_a_limit_that_is_not_a_number_of_days_is_a_usage_error(days: str) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["freshness", "--limit-days", days])

    assert caught.value.code == 2
