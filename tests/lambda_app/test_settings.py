"""The settings come from a mapping, and an invalid one stops the start."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lambda_app.errors import ArtifactMissing, SettingError
from lambda_app.settings import Settings
from tests.serving import ROOT, Service

if TYPE_CHECKING:
    from pathlib import Path


def test_defaults_serve_the_artifact_beside_the_package() -> None:
    assert tuple(Settings.read({})) == (str(ROOT / "model" / "artifacts"), 1_048_576, 1000, False, "", frozenset(), {})


@pytest.mark.parametrize(
    "empty", ["MODEL_DIR", "MAX_BODY_LENGTH", "MAX_BATCH", "EXPIRED_MODEL", "BASE_PATH", "CORS_ORIGINS", "CREDITOR"]
)
def test_empty_variable_counts_as_unset(empty: str) -> None:
    assert Settings.read({empty: ""}) == Settings.read({})


def test_reads_every_variable() -> None:
    environ = {
        "MODEL_DIR": "/opt/model",
        "MAX_BODY_LENGTH": "10",
        "MAX_BATCH": "2",
        "EXPIRED_MODEL": "refuse",
        "BASE_PATH": "/v1/",
        "CREDITOR": '{"name": "Bank", "report_agency": {"name": "Reports"}}',
        "CORS_ORIGINS": "https://bank.example, http://localhost:3000",
    }
    assert tuple(Settings.read(environ)) == (
        *("/opt/model", 10, 2, True, "/v1", {"https://bank.example", "http://localhost:3000"}),
        {"name": "Bank", "report_agency": {"name": "Reports"}},
    )


@pytest.mark.parametrize("name", ["MAX_BODY_LENGTH", "MAX_BATCH"])
@pytest.mark.parametrize("text", ["0", "-1", "1.5", "1e3", " 1", "many", "½", "²", "9" * 5_000])
def test_invalid_number_is_refused_and_named(name: str, text: str) -> None:
    with pytest.raises(
        SettingError, match=f"^{name} must be a positive whole number of at most nine digits$"
    ) as caught:
        Settings.read({name: text})
    assert caught.value.name == name


@pytest.mark.parametrize(
    "text",
    [
        "Bank",
        "[]",
        '"Bank"',
        '{"name": 1}',
        '{"nome": "x"}',
        '{"report_agency": "x"}',
        '{"report_agency": {"fax": ""}}',
    ],
)
def test_what_is_no_creditor_is_refused(text: str) -> None:
    with pytest.raises(SettingError, match=r"^CREDITOR must be a JSON object"):
        Settings.read({"CREDITOR": text})


@pytest.mark.parametrize("text", ["bank.example", "https://", "https://bank.example/", "ftp://bank.example", "null"])
def test_what_is_no_origin_is_refused(text: str) -> None:
    with pytest.raises(SettingError, match=r"^CORS_ORIGINS must be origins"):
        Settings.read({"CORS_ORIGINS": f"https://good.example {text}"})


def test_function_does_not_start_with_an_invalid_setting(by_hand: Path) -> None:
    with pytest.raises(SettingError):
        Service(by_hand, MAX_BATCH="0")


def test_function_does_not_start_without_a_model(tmp_path: Path) -> None:
    with pytest.raises(ArtifactMissing):
        Service(tmp_path / "nowhere")


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        Settings.read({}).max_batch = 2  # type: ignore[misc]  # the mistake under test


@pytest.mark.parametrize("text", ["Refuse", "true", "0", " "])
def test_unknown_way_with_expired_models_is_refused(text: str) -> None:
    with pytest.raises(SettingError, match=r'^EXPIRED_MODEL must be "serve" or "refuse"$'):
        Settings.read({"EXPIRED_MODEL": text})


def test_a_base_path_begins_with_a_slash() -> None:
    with pytest.raises(SettingError, match=r'^BASE_PATH must be a path, such as "/credit"$'):
        Settings.read({"BASE_PATH": "credit"})
