"""Stands in for the parts of `docker` that deploy.sh uses; it acts on the JSON file that DOCKER_STAND_IN names.

"running"   whether the engine answers
"images"    name → what `docker image inspect` says of it
"manifest"  the artifact's manifest inside every image; null if there is none
"model"     the text of the model file inside every image
"pull"      "works", or "refused"
"push"      "works", or "interrupted"
"media"     the media type that a push leaves in the registry
"registry"  the address of the emulator's ECR
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any


def put_image(registry: str, repository: str, tag: str, image_id: str, media_type: str) -> str:
    """Put a manifest into the emulator's ECR as `docker push` does; returns its digest."""
    config = {"mediaType": "application/vnd.docker.container.image.v1+json", "size": 7, "digest": image_id}
    manifest: dict[str, Any] = {"schemaVersion": 2, "mediaType": media_type}
    if media_type.endswith("index.v1+json"):
        manifest["manifests"] = [{"mediaType": "application/vnd.oci.image.manifest.v1+json", **config}]
    else:
        manifest |= {"config": config, "layers": []}
    text = json.dumps(manifest)
    body = {
        "repositoryName": repository,
        "imageTag": tag,
        "imageManifest": text,
        "imageManifestMediaType": media_type,
        "imageDigest": "sha256:" + hashlib.sha256(text.encode()).hexdigest(),
    }
    import urllib.request  # most commands do without, and start sooner

    request = urllib.request.Request(  # the emulator's own address
        registry,
        data=json.dumps(body).encode(),
        headers={
            "X-Amz-Target": "AmazonEC2ContainerRegistry_V20150921.PutImage",
            "Content-Type": "application/x-amz-json-1.1",
            "Authorization": "AWS4-HMAC-SHA256 Credential=testing/20260101/us-east-1/ecr/aws4_request, "
            "SignedHeaders=host, Signature=0",
        },
    )
    with urllib.request.urlopen(request, timeout=30) as response:
        return str(json.load(response)["image"]["imageId"]["imageDigest"])


def main(words: list[str]) -> int:
    """Act on one command line."""
    state = json.loads(Path(os.environ["DOCKER_STAND_IN"]).read_text(encoding="utf-8"))
    if not state["running"]:
        return _fail(
            "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?"
        )
    match words:
        case ["version", *_]:
            print("28.0.0")
        case ["image", "inspect", name]:
            if name not in state["images"]:
                return _fail(f"Error: No such image: {name}")
            print(json.dumps([state["images"][name]]))
        case ["create", _]:
            print("0123456789ab")
        case ["cp", source, target]:
            if state["manifest"] is None:
                return _fail("Error: Could not find the file in container")
            inside = state["model"] if source.endswith("model.joblib") else json.dumps(state["manifest"])
            Path(target).write_text(inside, encoding="utf-8")
        case ["pull", "--quiet", _]:
            if state["pull"] != "works":
                return _fail("Error response from daemon: manifest unknown")
        case ["login", *_]:
            sys.stdin.read()
        case ["tag", *_] | ["rm", *_]:
            pass
        case ["push", name]:
            if state["push"] == "interrupted":
                return _fail("error: unexpected EOF")
            repository, tag = name.split("/", 1)[1].split(":")
            (image,) = state["images"].values()
            put_image(state["registry"], repository, tag, image["Id"], state["media"])
        case _:
            return _fail(f"not a docker command that deploy.sh uses: {words}")
    return 0


def _fail(message: str) -> int:
    print(message, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
