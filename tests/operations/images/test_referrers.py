"""Documents attached to an image in its registry."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from moto import mock_aws

from lambda_app.manifest import digest
from operations.commands import main
from operations.errors import RegistryRefused
from operations.images.referrers import MANIFEST, Registry, attach

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.operations.conftest import Run

IMAGE = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "layers": []}).encode()
BILL, BILL_TYPE = b'{"bomFormat": "CycloneDX"}', "application/vnd.cyclonedx+json"
REPOSITORY, TOKEN = "bank/approval", "QVdTOnNlY3JldA=="


class Server(ThreadingHTTPServer):
    """A registry in memory that insists on what the distribution specification says of a push."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.blobs: dict[str, bytes] = {}
        self.manifests = {digest(IMAGE): IMAGE}
        self.takes_referrers = True


class Handler(BaseHTTPRequestHandler):
    """Answers uploads, and manifests by digest."""

    server: Server

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def reply(self, status: int, content: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(content)

    def do_GET(self) -> None:
        found = self.server.manifests.get(self.path.removeprefix(f"/v2/{REPOSITORY}/manifests/"))
        if self.headers["Authorization"] != f"Basic {TOKEN}":
            self.reply(401)
        elif found is None:
            self.reply(404)
        else:
            self.reply(200, found, Content_Type=MANIFEST)

    def do_POST(self) -> None:
        where = f"http://127.0.0.1:{self.server.server_port}/v2/{REPOSITORY}/blobs/uploads/17?state=begun"
        self.reply(202 if self.path == f"/v2/{REPOSITORY}/blobs/uploads/" else 404, Location=where)

    def do_PUT(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
        named = query["digest"][0] if "digest" in query else path.rpartition("/")[2].replace("referrer-", "sha256:")
        if named != digest(content):
            self.reply(400)
        elif path == f"/v2/{REPOSITORY}/blobs/uploads/17" and query["state"] == ["begun"]:
            self.server.blobs[named] = content
            self.reply(201)
        elif self.server.takes_referrers and self.complete(json.loads(content)):
            self.server.manifests[named] = content
            self.reply(201)
        else:
            self.reply(400)

    def complete(self, manifest: dict[str, Any]) -> bool:
        parts = [manifest["config"], *manifest["layers"]]
        subject = {"mediaType": MANIFEST, "digest": digest(IMAGE), "size": len(IMAGE)}
        return manifest["subject"] == subject and all(
            len(self.server.blobs[part["digest"]]) == part["size"] for part in parts
        )


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield running
        running.shutdown()


def registry(server: Server, token: str = TOKEN) -> Registry:
    return Registry(f"127.0.0.1:{server.server_port}", token)


def test_a_document_is_found_by_the_image_that_it_is_about(server: Server) -> None:
    # When
    attached = attach(registry(server), f"{REPOSITORY}@{digest(IMAGE)}", BILL_TYPE, BILL)

    # Then
    manifest = json.loads(server.manifests[attached])
    assert manifest["subject"]["digest"] == digest(IMAGE)
    assert manifest["artifactType"] == BILL_TYPE
    assert server.blobs[manifest["layers"][0]["digest"]] == BILL
    assert server.manifests[digest(IMAGE)] == IMAGE


def test_attaching_again_changes_nothing(server: Server) -> None:
    first = attach(registry(server), f"{REPOSITORY}@{digest(IMAGE)}", BILL_TYPE, BILL)
    before = dict(server.manifests)

    assert attach(registry(server), f"{REPOSITORY}@{digest(IMAGE)}", BILL_TYPE, BILL) == first
    assert server.manifests == before


def test_an_image_that_is_not_there_is_refused(server: Server) -> None:
    with pytest.raises(RegistryRefused, match="status 404 to GET"):
        attach(registry(server), f"{REPOSITORY}@sha256:{'0' * 64}", BILL_TYPE, BILL)
    assert not server.blobs


def test_a_wrong_login_is_refused_without_naming_it(server: Server) -> None:
    with pytest.raises(RegistryRefused, match="status 401") as refused:
        attach(registry(server, "d3Jvbmc="), f"{REPOSITORY}@{digest(IMAGE)}", BILL_TYPE, BILL)
    assert "d3Jvbmc=" not in str(refused.value)


def test_a_registry_that_takes_no_referrers_is_named(server: Server) -> None:
    server.takes_referrers = False

    with pytest.raises(RegistryRefused, match="status 400 to PUT") as refused:
        attach(registry(server), f"{REPOSITORY}@{digest(IMAGE)}", BILL_TYPE, BILL)
    assert refused.value.status == 400


def test_a_registry_that_gives_other_bytes_is_refused(server: Server) -> None:
    server.manifests[digest(IMAGE)] = b"{}"

    with pytest.raises(RegistryRefused, match="other bytes"):
        attach(registry(server), f"{REPOSITORY}@{digest(IMAGE)}", BILL_TYPE, BILL)


def test_a_registry_that_does_not_answer_is_named() -> None:
    with pytest.raises(RegistryRefused, match=r"127\.0\.0\.1:9: ConnectionRefusedError"):
        attach(Registry("127.0.0.1:9", TOKEN), f"{REPOSITORY}@{digest(IMAGE)}", BILL_TYPE, BILL)


def test_a_login_is_sent_to_no_other_registry(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    # Given evidence of an image in a foreign registry
    archive = run.gather()
    capsys.readouterr()

    # When
    with mock_aws():
        code = main(["attach", str(archive)])

    # Then
    assert code == 1
    assert "registry.example: is not 123456789012.dkr.ecr.us-east-1.amazonaws.com" in capsys.readouterr().err
