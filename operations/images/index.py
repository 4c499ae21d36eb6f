"""Image indexes: lists of images for several platforms, which neither Lambda runs nor ECR scans."""

from __future__ import annotations

INDEX_ADVICE = "Build one manifest: docker build --provenance=false --sbom=false, for one platform."


def is_index(media_type: str) -> bool:
    """Whether a media type is that of an image index (Docker calls it a manifest list).

    >>> is_index("application/vnd.oci.image.index.v1+json"), is_index("application/vnd.oci.image.manifest.v1+json")
    (True, False)
    """
    return media_type.endswith((".image.index.v1+json", ".manifest.list.v2+json"))
