"""Every error that operations raises, and the exit code that a command ends with.

OperationsError          1
├── UnreadableInput      1   a file or an answer is not what it should be
├── CloudRefused         1   AWS refused a call, or could not be reached
├── RegistryRefused      1   a container registry refused a request, or could not be reached
├── ModelStale           4   the model, or its data, is older than the limit
├── ScanFindings         5   the scan found something too severe to ship
├── ScanUnfinished       6   the scan failed, or did not end in time
├── EvidenceIncomplete   7   something that a release needs is missing
├── EvidenceMismatch     8   the archive was altered, contradicts itself, or is not what this checkout releases
├── Drifted              9   decisions are no longer what they were, or another model's are others
├── TooFew              10   too few decisions to tell
└── RolledBack          11   a canary was worse than the version beside it, and has no traffic any more

Exit code 2 is argparse's, for a command line it cannot parse; 3 is the gate's, in `python -m model`.
"""

from __future__ import annotations


class OperationsError(Exception):
    """The root of every error that this package raises."""

    exit_code = 1


class UnreadableInput(OperationsError):
    """A file or an answer is not what it should be.

    Attributes
    ----------
    source : str
        What was read.
    """

    def __init__(self, source: str, reason: str) -> None:
        super().__init__(f"{source}: {reason}")
        self.source = source


class CloudRefused(OperationsError):
    """AWS refused a call, or could not be reached.

    Attributes
    ----------
    code : str
        AWS's error code; if AWS was not reached, the name of botocore's exception.
    """

    def __init__(self, service: str, code: str, reason: str) -> None:
        super().__init__(f"{service}: {reason}. Check the credentials, the region and the names, and run again.")
        self.code = code


class RegistryRefused(OperationsError):
    """A container registry refused a request, or could not be reached.

    Attributes
    ----------
    status : int
        The HTTP status; 0 if there was no answer.
    """

    def __init__(self, registry: str, status: int, reason: str) -> None:
        super().__init__(f"{registry}: {reason}. Check the login, the image's name and the network, and run again.")
        self.status = status


class ModelStale(OperationsError):
    """The model, or its data, is older than the limit.

    Attributes
    ----------
    stale : tuple of str
        Which of "model" and "data" is too old.
    """

    exit_code = 4

    def __init__(self, stale: tuple[str, ...], message: str) -> None:
        super().__init__(message)
        self.stale = stale


class ScanFindings(OperationsError):
    """The scan found something too severe to ship.

    Attributes
    ----------
    counts : dict of str to int
        Findings by severity.
    """

    exit_code = 5

    def __init__(self, message: str, counts: dict[str, int]) -> None:
        super().__init__(message)
        self.counts = counts


class ScanUnfinished(OperationsError):
    """The scan failed, or did not end in time.

    Attributes
    ----------
    status : str
        The last status that ECR gave.
    """

    exit_code = 6

    def __init__(self, message: str, status: str) -> None:
        super().__init__(message)
        self.status = status


class EvidenceIncomplete(OperationsError):
    """Something that a release needs is missing.

    Attributes
    ----------
    missing : tuple of str
        The names of what is missing.
    """

    exit_code = 7

    def __init__(self, message: str, missing: tuple[str, ...]) -> None:
        super().__init__(message)
        self.missing = missing


class EvidenceMismatch(OperationsError):
    """The archive was altered, contradicts itself, or is not what this checkout releases.

    Attributes
    ----------
    member : str
        The member at fault, "archive" for the bytes around the members, or "signature".
    """

    exit_code = 8

    def __init__(self, member: str, reason: str) -> None:
        # Whoever wrote the archive chose the member's name: it must not send control characters to a terminal.
        super().__init__(f"{member if member.isprintable() else ascii(member)}: {reason}")
        self.member = member


class Drifted(OperationsError):
    """Decisions are no longer what they were, or another model's are others.

    Attributes
    ----------
    names : tuple of str
        What has drifted, worst first.
    """

    exit_code = 9

    def __init__(self, names: tuple[str, ...], message: str) -> None:
        super().__init__(message)
        self.names = names


class TooFew(OperationsError):
    """There are too few decisions to tell."""

    exit_code = 10


class RolledBack(OperationsError):
    """A canary was worse than the version beside it, and has no traffic any more."""

    exit_code = 11
