"""The handler as in Lambda: one artifact, one environment, its answers and its output."""

from __future__ import annotations

import io
import json
import runpy
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NoReturn
from unittest import mock

from lambda_app.errors import Refusal, ServiceFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambda_app.web.events import Envelope

ROOT = Path(__file__).resolve().parent.parent
HANDLER = ROOT / "lambda_app" / "handler.py"
REQUEST_ID = "00000000-1111-4222-8333-444444444444"


@dataclass(frozen=True)
class Answer:
    """One answer, with what was printed meanwhile.

    Attributes
    ----------
    envelope : dict
        As returned by the handler: for Step Functions, the plain answer; if it raised, what Lambda makes of that.
    printed : str
        Standard output and standard error.
    raised : Refusal or ServiceFailed, optional
    """

    envelope: Envelope
    printed: str
    raised: Refusal | ServiceFailed | None = None

    @property
    def status(self) -> int:
        """The HTTP status."""
        if self.raised is not None:
            return self.raised.status if isinstance(self.raised, Refusal) else 500
        return self.envelope.get("statusCode", 200)

    @property
    def error(self) -> str:
        """The name of the exception, by which Step Functions retries and catches."""
        return type(self.raised).__name__

    @property
    def body(self) -> Any:
        """The body, parsed strictly; of an exception, the problem that another caller would get."""
        if self.raised is not None:
            return self.raised.problem(REQUEST_ID) if isinstance(self.raised, Refusal) else {"request_id": REQUEST_ID}
        return strict_json(self.envelope["body"]) if "statusCode" in self.envelope else self.envelope

    @property
    def lines(self) -> list[Any]:
        """The log's records without their time, line by line, parsed strictly."""
        records = [line for line in self._printed() if line["event"] != "metrics"]
        return [{key: value for key, value in record.items() if key != "time"} for record in records]

    @property
    def metrics(self) -> list[Any]:
        """The log's lines of metrics, parsed strictly."""
        return [line for line in self._printed() if line["event"] == "metrics"]

    def _printed(self) -> list[Any]:
        return [strict_json(line) for line in self.printed.splitlines()]


class Service:
    """A handler that was just started.

    Parameters
    ----------
    directory : Path
        The artifact.
    environ : str
        Further settings.
    """

    def __init__(self, directory: Path, **environ: str) -> None:
        with mock.patch.dict("os.environ", {"MODEL_DIR": str(directory), **environ}):
            self._handler: Callable[[object, object], Envelope] = runpy.run_path(str(HANDLER))["handler"]

    def __call__(self, event: object, alias: str = "") -> Answer:
        arn = f"arn:aws:lambda:eu-central-1:123456789012:function:ccapproval{alias and ':' + alias}"
        context = SimpleNamespace(aws_request_id=REQUEST_ID, invoked_function_arn=arn)
        printed = io.StringIO()
        with redirect_stdout(printed), redirect_stderr(printed):
            try:
                envelope = self._handler(event, context)
            except (Refusal, ServiceFailed) as error:
                told: Any = {"errorType": type(error).__name__, "errorMessage": str(error)}
                return Answer(told, printed.getvalue(), error)
        return Answer(envelope, printed.getvalue())


def strict_json(text: str) -> Any:
    """Read JSON as RFC 8259 defines it: no NaN, no infinities, no duplicate keys, nothing that UTF-8 cannot encode."""
    value = json.loads(text, parse_constant=_refuse, object_pairs_hook=_unique)
    json.dumps(value, ensure_ascii=False).encode()
    return value


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names):
        raise ValueError("duplicate key")
    return dict(pairs)
