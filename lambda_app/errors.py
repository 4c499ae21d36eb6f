"""The errors of this package, as a tree.

ServiceError
├── SettingError            an environment variable has an invalid value; nothing is served
├── ArtifactError           the artifact cannot be trusted or read; nothing is served
│   ├── ArtifactMissing     a file is missing or cannot be read
│   ├── ArtifactCorrupt     the bytes do not match the manifest
│   ├── ArtifactUnsafe      the pickle refers to a class, or holds more than plain data
│   └── ArtifactUnsupported this code does not know the format or its version
├── ServiceFailed           the service failed, and Step Functions must learn of it
├── UnsafeContent           a format found bytes that it must not open; becomes ArtifactUnsafe
└── Refusal                 the request cannot be served; becomes an RFC 9457 problem document
    ├── Unserved            400  an event of a source that is not served
    ├── Malformed           400  not JSON, or not a valid request
    ├── NotFound            404  no such path
    ├── MethodNotAllowed    405  the path does not accept this method
    ├── NotDenied           409  a notice of adverse action was asked for an approval
    ├── TooLarge            413  more bytes or more applications than one request may carry
    ├── Invalid             422  the application breaks rules of the contract
    └── Expired             503  the model is too old to decide
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypedDict

    class BrokenRule(TypedDict):
        """A rule of the contract that an application breaks; `field` is None for the application as a whole."""

        field: str | None
        rule: str
        detail: str


class ServiceError(Exception):
    """The root of every error that this package raises."""


class SettingError(ServiceError):
    """An environment variable has an invalid value.

    Attributes
    ----------
    name : str
        The variable's name.
    """

    def __init__(self, name: str, expected: str) -> None:
        super().__init__(f"{name} must be {expected}")
        self.name = name


class ArtifactError(ServiceError):
    """The model artifact cannot be trusted or read.

    Attributes
    ----------
    path : str
        The file at fault.
    """

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path}: {message}")
        self.path = path


class ArtifactMissing(ArtifactError):
    """A file of the artifact is missing or cannot be read."""


class ArtifactCorrupt(ArtifactError):
    """The bytes do not match the manifest."""


class ArtifactUnsafe(ArtifactError):
    """The pickle refers to a class, or holds more than plain data."""


class ArtifactUnsupported(ArtifactError):
    """This code does not know the artifact's format or its version."""


class UnsafeContent(ServiceError):
    """The model's bytes must not be opened. The loader, which knows the file, turns this into `ArtifactUnsafe`."""


class ServiceFailed(ServiceError):
    """The service failed. The error itself stays in the log, by its type and place alone: its text may hold values."""

    def __init__(self, request_id: str) -> None:
        super().__init__(f"The service failed; its log says where, under request {request_id}")


class Refusal(ServiceError):
    """The request cannot be served, and the caller is told why.

    Attributes
    ----------
    status : int
        The HTTP status.
    title : str
        The name of this kind of problem, the same for every occurrence.
    detail : str
        What is wrong with this request; never contains a value from it.
    errors : sequence of BrokenRule
        The broken rules of an invalid application; otherwise empty.
    """

    status = 400
    slug = "malformed-request"
    title = "The request is malformed"
    errors: Sequence[BrokenRule] = ()

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail

    def problem(self, request_id: str) -> dict[str, object]:
        """The RFC 9457 problem document."""
        return {
            "type": f"urn:problem:credit-card-approval:{self.slug}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "request_id": request_id,
        }

    def headers(self) -> dict[str, str]:
        """Headers that this refusal adds to the answer."""
        return {}


class Malformed(Refusal):
    """400: not JSON, or not a valid request."""


class Unserved(Refusal):
    """400: an event of a source that is not served."""

    status = 400
    slug = "unserved-source"
    title = "Events of this source are not served"


class NotFound(Refusal):
    """404: no such path."""

    status = 404
    slug = "not-found"
    title = "There is nothing at this path"


class MethodNotAllowed(Refusal):
    """405: the path does not accept this method.

    Attributes
    ----------
    allowed : tuple of str
        The methods that the path accepts.
    """

    status = 405
    slug = "method-not-allowed"
    title = "The path takes other methods"

    def __init__(self, allowed: tuple[str, ...]) -> None:
        super().__init__(f"Allowed here: {', '.join(allowed)}")
        self.allowed = allowed

    def headers(self) -> dict[str, str]:
        return {"Allow": ", ".join(self.allowed)}


class NotDenied(Refusal):
    """409: a notice of adverse action was asked for an application that is approved."""

    status = 409
    slug = "not-denied"
    title = "There is no adverse action to give notice of"


class TooLarge(Refusal):
    """413: more bytes or more applications than one request may carry."""

    status = 413
    slug = "too-large"
    title = "The request is too large"


class Invalid(Refusal):
    """422: the application breaks rules of the contract; `errors` lists each of them.

    Attributes
    ----------
    application_id : str or None
        The caller's own key of the application.
    """

    status = 422
    slug = "invalid-application"
    title = "The application breaks rules of the contract"

    def __init__(self, errors: Sequence[BrokenRule], application_id: str | None = None) -> None:
        super().__init__(f"{len(errors)} rule{'s' if len(errors) > 1 else ''} broken")
        self.errors = errors
        self.application_id = application_id

    def problem(self, request_id: str) -> dict[str, object]:
        problem = {**super().problem(request_id), "errors": self.errors}
        if self.application_id is not None:
            problem["application_id"] = self.application_id
        return problem


class Expired(Refusal):
    """503: the model is older than its manifest allows, and the service is set to refuse then."""

    status = 503
    slug = "model-expired"
    title = "The model is too old to decide"
