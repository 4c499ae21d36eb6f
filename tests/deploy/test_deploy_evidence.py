"""deploy.sh --evidence: what was approved is what goes live, and nothing else does."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from lambda_app.manifest import digest, identity, model_version
from model.judge.gate import POLICY
from model.judge.limits import DEFAULTS
from operations.commands import main
from operations.evidence import archive
from operations.evidence.archive import APPROVAL
from operations.evidence.review import ITEMS
from tests.deploy.conftest import MANIFEST_TYPE, RESPONSE, ROOT
from tests.deploy.docker_stand_in import put_image
from tests.operations.conftest import BASE, COMMIT, LABELS, REPORT, new_key, write_run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.deploy.conftest import Result, World

CONFIG = {"Env": ["PATH=/usr/bin"], "Cmd": ["lambda_app.handler.handler"], "Labels": LABELS}


@dataclass
class Approved:
    """An image in the registry, and the approved and signed archive that names it."""

    world: World
    archive: Path
    public_key: Path
    private_key: Path
    uri: str

    def deploy(self, *options: str, **environment: str) -> Result:
        """Run deploy.sh as a pipeline does."""
        host = self.uri.partition("/")[0]
        given = {
            "REGISTRY": host,
            "REQUIRE_EVIDENCE": "true",
            "EVIDENCE_PUBLIC_KEY": str(self.public_key),
            "EVIDENCE_COMMIT": COMMIT,
            "RELEASE_RULES": str(self.world.directory / "release.json"),
            **environment,
        }
        return self.world.deploy("--evidence", str(self.archive), *options, **given)

    def sign(self) -> None:
        """Sign the archive as it is now."""
        assert main(["sign", str(self.archive), "--key", str(self.private_key)]) == 0

    def rewrite(self, member: str, change: Callable[[Any], None]) -> None:
        """Change a JSON member, and everything that would give it away but the signature."""
        members = archive.unpack(self.archive.read_bytes(), ITEMS)
        document = json.loads(members[member])
        change(document)
        members[member] = json.dumps(document).encode()
        reviewed = {name: content for name, content in members.items() if name != APPROVAL}
        approval = json.loads(members[APPROVAL]) | {"evidence_sha256": archive.sha256(archive.pack(reviewed, ITEMS))}
        members[APPROVAL] = json.dumps(approval).encode()
        self.archive.write_bytes(archive.pack(members, ITEMS))


@pytest.fixture
def approved(world: World, tmp_path: Path) -> Approved:
    """An image is in the registry, approved and signed, and not deployed yet."""
    pushed = put_image(world.docker["registry"], "ccapproval-deploy", "m2", "sha256:" + "2" * 64, MANIFEST_TYPE)
    function = world.client.get_function(FunctionName="ccapproval")
    repository = function["Code"]["ImageUri"].partition("@")[0]
    uri = f"{repository}@{pushed}"
    (tmp_path / "run").mkdir()
    run = write_run(tmp_path / "run")
    artifacts = run.root / "artifacts"
    model = b"the approved model"
    (artifacts / "model.joblib").write_bytes(model)
    manifest = run.read("artifacts/manifest.json") | {"digest": digest(model), "size": len(model)}
    manifest["identity"] = identity(manifest)
    manifest["model_version"] = model_version(manifest["identity"])
    manifest["golden"] = [{"request": {"Income": number}, "response": RESPONSE} for number in (1, 2)]
    named = {"identity": manifest["identity"]}
    (artifacts / "manifest.json").write_text(json.dumps(manifest))
    (artifacts / "model_metrics.html").write_text(REPORT.format(**manifest))
    for name in ("artifacts/metrics.json", "artifacts/alternatives.json", "images/inference.json"):
        run.edit(name, **named)
    limits = json.loads((ROOT / "model/limits.json").read_text())
    (run.root / "limits.json").write_text(json.dumps(limits))
    run.edit(
        "artifacts/gate.json", input=run.read("artifacts/gate.json")["input"] | named | {"limits": DEFAULTS | limits}
    )
    shutil.copy(POLICY, run.root)
    run.edit("images/inference.json", digests=[uri])
    run.edit("images/inference.scan.json", digest=pushed)
    host = uri.partition("/")[0]
    rules = {"registries": [host], "base_images": [BASE], "approval_days": 7}
    (tmp_path / "release.json").write_text(json.dumps(rules))
    release = tmp_path / "evidence.zip"
    assert main(["approve", str(run.gather()), "--by", "officer@bank.example", "--out", str(release)]) == 0

    image = {"Id": "sha256:" + "2" * 64, "Os": "linux", "Architecture": "amd64", "Config": dict(CONFIG)}
    world.docker |= {"images": {uri: image}, "manifest": manifest, "model": model.decode()}
    private, public = new_key(tmp_path, "officer")
    found = Approved(world, release, public, private, uri)
    found.sign()
    return found


def test_what_was_approved_goes_live(approved: Approved) -> None:
    result = approved.deploy()

    assert result.status == 0, result.told
    version, live = approved.world.live()
    assert live == approved.uri.rpartition("@")[2]
    evidence = f"evidence sha256:{archive.sha256(approved.archive.read_bytes())}"
    assert result.summary["evidence"] == evidence
    function = approved.world.client.get_function_configuration(FunctionName="ccapproval", Qualifier=version)
    assert function["Description"] == f"model {result.summary['model_version']}, {evidence}"
    assert "PutImage" not in approved.world.proxy.operations


def test_a_second_run_changes_nothing(approved: Approved) -> None:
    assert approved.deploy().status == 0
    approved.world.proxy.operations.clear()

    assert approved.deploy().status == 0
    assert not {"UpdateFunctionCode", "UpdateAlias"} & set(approved.world.proxy.operations)


def test_a_dry_run_checks_the_evidence_and_changes_nothing(approved: Approved) -> None:
    result = approved.deploy("--dry-run")

    assert (result.status, result.summary["status"]) == (0, "planned")
    assert approved.world.live()[0] == "1"
    assert not {"UpdateFunctionCode", "PublishVersion"} & set(approved.world.proxy.operations)


def test_a_plain_release_says_that_it_had_no_evidence(world: World) -> None:
    result = world.deploy()

    assert result.summary["evidence"] == "without evidence"
    version, _ = world.live()
    function = world.client.get_function_configuration(FunctionName="ccapproval", Qualifier=version)
    assert function["Description"] == "model m2, without evidence"


@pytest.mark.parametrize("option", [[], ["--dry-run"]], ids=" ".join)
def test_a_plain_release_is_refused_where_evidence_is_required(world: World, option: list[str]) -> None:
    result = world.deploy(*option, REQUIRE_EVIDENCE="true")

    world.assert_stopped(result, "evidence", "no evidence is given", "--evidence FILE")
    assert not {"UpdateFunctionCode", "PublishVersion", "UpdateAlias"} & set(world.proxy.operations)


def test_evidence_without_a_key_is_refused_where_evidence_is_required(approved: Approved) -> None:
    result = approved.deploy(EVIDENCE_PUBLIC_KEY="")

    approved.world.assert_stopped(result, "evidence", "no key is given", "EVIDENCE_PUBLIC_KEY=FILE")


def _swapped_manifest(approved: Approved) -> None:
    approved.world.docker["manifest"] |= {"threshold": 0.1}


def _golden_of_another(approved: Approved) -> None:
    approved.world.docker["manifest"]["golden"] = [{"request": {}, "response": RESPONSE | {"prediction": 0}}]


def _swapped_model(approved: Approved) -> None:
    approved.world.docker["model"] = "the approved modem"


def _config(**changes: Any) -> Callable[[Approved], None]:
    return lambda approved: approved.world.docker["images"][approved.uri]["Config"].update(changes)


def _taken_from_the_registry(approved: Approved) -> None:
    approved.world.docker["pull"] = "refused"


def _unsigned(approved: Approved) -> None:
    approved.archive.with_name("evidence.zip.sig").unlink()


def _other_digest(approved: Approved) -> None:
    def change(facts: dict[str, Any]) -> None:
        facts["digests"] = [f"{approved.uri.partition('@')[0]}@{approved.world.first_digest}"]

    approved.rewrite("images/inference.json", change)
    approved.rewrite("images/inference.scan.json", lambda scan: scan.update(digest=approved.world.first_digest))


def _approved_by_itself(approved: Approved) -> None:
    approved.rewrite(APPROVAL, lambda approval: approval.update(by="nobody"))


def _not_approved(approved: Approved) -> None:
    members = archive.unpack(approved.archive.read_bytes(), ITEMS)
    del members[APPROVAL]
    approved.archive.write_bytes(archive.pack(members, ITEMS))
    approved.archive.with_name("evidence.zip.sig").write_bytes(b"")


def _truncated(approved: Approved) -> None:
    approved.archive.write_bytes(approved.archive.read_bytes()[:-1])


def _gone(approved: Approved) -> None:
    approved.archive.unlink()


# What somebody could do between the approval and the release, the step that finds it, and what it says.
FORGERIES: dict[str, tuple[Callable[[Approved], None], str, str]] = {
    "the image has another manifest": (_swapped_manifest, "image", "The image's manifest.json is not the one that was"),
    "the image has other golden cases": (_golden_of_another, "image", "The image's manifest.json is not the one"),
    "the image has another model": (_swapped_model, "image", "The image's model.joblib is not the one that was"),
    "the image has other labels": (_config(Labels={**LABELS, "a": "b"}), "image", "The image's labels are not those"),
    "the image has no labels": (_config(Labels=None), "image", "The image's labels are not those"),
    "the image runs another handler": (_config(Cmd=["evil.handler"]), "image", "does not run lambda_app.handler"),
    "the image serves another directory": (_config(Env=["MODEL_DIR=/opt/evil"]), "image", "from another directory"),
    "the image was taken away": (_taken_from_the_registry, "approved image", "can't be pulled"),
    "the archive was not signed": (_unsigned, "evidence", "signature: there is no evidence.zip.sig"),
    "the archive names another digest": (_other_digest, "evidence", "signature: evidence.zip.sig is not a signature"),
    "the approval was rewritten": (_approved_by_itself, "evidence", "signature: evidence.zip.sig is not a signature"),
    "the archive was not approved": (_not_approved, "evidence", "signature: evidence.zip.sig is not a signature"),
    "the archive was cut off": (_truncated, "evidence", "signature: evidence.zip.sig is not a signature"),
    "the archive is gone": (_gone, "evidence", "No such file or directory"),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_what_was_not_approved_stays_where_it_is(approved: Approved, forgery: str) -> None:
    forge, step, reason = FORGERIES[forgery]
    forge(approved)

    result = approved.deploy()

    approved.world.assert_stopped(
        result, step, reason, "docs/pipeline.md" if step != "approved image" else "approve it"
    )
    assert not {"UpdateFunctionCode", "PublishVersion", "UpdateAlias"} & set(approved.world.proxy.operations)


@pytest.mark.parametrize(
    ("environment", "step", "reason"),
    [
        pytest.param({"REPOSITORY": "another"}, "approved image", "this release goes to", id="another repository"),
        pytest.param(
            {"REGISTRY": "evil.example"}, "approved image", "this release goes to evil.example", id="registry"
        ),
        pytest.param({"EVIDENCE_COMMIT": "f" * 40}, "evidence", "was built from commit", id="another commit"),
        pytest.param({"LIMITS": "/dev/null"}, "evidence", "is not JSON", id="no limits"),
    ],
)
def test_what_was_approved_for_elsewhere_is_refused(
    approved: Approved, environment: dict[str, str], step: str, reason: str
) -> None:
    result = approved.deploy(**environment)

    approved.world.assert_stopped(result, step, reason, "approved")


def test_a_label_alone_is_believed_by_nobody(approved: Approved) -> None:
    """The image of one model, labelled as another, approved one: an honest label, and a dishonest manifest."""
    other = dict(approved.world.docker["manifest"], threshold=0.123, gate={"passed": True, "denials": []})
    other["identity"] = identity(other)
    other["model_version"] = model_version(other["identity"])
    approved.world.docker["manifest"] = other

    result = approved.deploy()

    approved.world.assert_stopped(result, "image", "manifest.json is not the one that was approved", "docs/pipeline.md")
