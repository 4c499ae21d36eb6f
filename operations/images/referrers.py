"""Attach documents to an image in its registry, as OCI referrers: the image's own manifest does not change.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pushing-manifests-with-subject. Each document
becomes a manifest of its own whose `subject` is the image, so whoever has the image's digest finds its bill of
materials, provenance and scan beside it: `oras discover IMAGE`.
"""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from lambda_app.manifest import digest
from operations.errors import RegistryRefused

if TYPE_CHECKING:
    from collections.abc import Mapping

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
MANIFESTS = f"{MANIFEST}, application/vnd.docker.distribution.manifest.v2+json"
# What is attached of an evidence archive, and each one's media type.
DOCUMENTS = {
    "images/inference.cdx.json": "application/vnd.cyclonedx+json",
    "images/inference.provenance.json": "application/vnd.in-toto+json",
    "images/inference.scan.json": "application/vnd.ccapproval.scan+json",
}
EMPTY = b"{}"
SECONDS = 60


@dataclass(frozen=True)
class Registry:
    """A registry, and the Basic credentials that it takes.

    Attributes
    ----------
    host : str
        With a port where it has one. As for Docker, the loopback addresses are asked over HTTP, all others over HTTPS.
    token : str
        "user:password" in Base64.
    """

    host: str
    token: str

    @property
    def _loopback(self) -> bool:
        return self.host.partition(":")[0] in ("127.0.0.1", "localhost")

    def require_own(self, endpoint: str) -> None:
        """Refuse to send the credentials anywhere but to the registry that they are for, or to this machine.

        Raises
        ------
        RegistryRefused
            The host is another than the endpoint's.
        """
        own = urlsplit(endpoint).netloc
        if self.host != own and not self._loopback:
            raise RegistryRefused(self.host, 0, f"is not {own}, which the login is for")

    def call(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> tuple[http.client.HTTPMessage, bytes]:
        """Make one request and return what was answered.

        Raises
        ------
        RegistryRefused
            The registry answers with another status than a 2xx, or not at all.
        """
        connect = http.client.HTTPConnection if self._loopback else http.client.HTTPSConnection
        connection = connect(self.host, timeout=SECONDS)
        try:
            connection.request(method, path, body, {"Authorization": f"Basic {self.token}", **(headers or {})})
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException) as err:
            raise RegistryRefused(self.host, 0, f"{type(err).__name__} at {method} {path}") from err
        finally:
            connection.close()
        if answer.status not in (http.HTTPStatus.OK, http.HTTPStatus.CREATED, http.HTTPStatus.ACCEPTED):
            raise RegistryRefused(self.host, answer.status, f"status {answer.status} to {method} {path}")
        return answer.headers, content


def attach(registry: Registry, image: str, artifact_type: str, document: bytes) -> str:
    """Attach a document to an image. Attaching the same one again changes nothing.

    Parameters
    ----------
    registry : Registry
    image : str
        "repository@sha256:…", in that registry.
    artifact_type : str
        The document's media type.
    document : bytes

    Returns
    -------
    str
        The digest of the referrer's manifest.

    Raises
    ------
    RegistryRefused
        The image is not there, or the registry does not take it.
    """
    repository, _, subject = image.rpartition("@")
    headers, content = registry.call("GET", f"/v2/{repository}/manifests/{subject}", headers={"Accept": MANIFESTS})
    if digest(content) != subject:
        raise RegistryRefused(registry.host, 200, f"other bytes than {subject}")
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": artifact_type,
        "config": _upload(registry, repository, "application/vnd.oci.empty.v1+json", EMPTY),
        "layers": [_upload(registry, repository, artifact_type, document)],
        "subject": _descriptor(headers.get_content_type(), content),
    }
    written = json.dumps(manifest, separators=(",", ":")).encode()
    # By a tag of its own, since infra/registry.yaml lets what has none expire.
    tag = f"referrer-{digest(written).removeprefix('sha256:')}"
    registry.call("PUT", f"/v2/{repository}/manifests/{tag}", written, {"Content-Type": MANIFEST})
    return digest(written)


def _upload(registry: Registry, repository: str, media_type: str, content: bytes) -> dict[str, str | int]:
    headers, _ = registry.call("POST", f"/v2/{repository}/blobs/uploads/", headers={"Content-Length": "0"})
    place = urlsplit(headers.get("Location", ""))  # of the same registry, maybe with a query of its own
    query = f"{place.query}&" if place.query else ""
    registry.call(
        "PUT",
        f"{place.path}?{query}digest={digest(content)}",
        content,
        {"Content-Type": "application/octet-stream"},
    )
    return _descriptor(media_type, content)


def _descriptor(media_type: str, content: bytes) -> dict[str, str | int]:
    return {"mediaType": media_type, "digest": digest(content), "size": len(content)}
