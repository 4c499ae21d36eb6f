"""The settings, read once from the environment.

MODEL_DIR        the artifact's directory; by default `model/artifacts` beside this package
MAX_BODY_LENGTH  the longest HTTP body in characters, as it arrives; 1048576 by default
CORS_ORIGINS     the origins whose pages may call, such as "https://bank.example", by commas, or "*"; empty by default
BASE_PATH        what stands before every path, such as "/credit" behind a balancer's rule; empty by default
CREDITOR         who a notice of adverse action is from, as a JSON object: name, address, telephone, agency (which
                 administers compliance), report_agency (an object of name, address, telephone); by default empty lines
EXPIRED_MODEL    "serve" (the default) or "refuse": whether a model that is older than its manifest allows still decides
MAX_BATCH        the most applications in one request; 1000 by default, to keep the answer under Lambda's 6 MB
"""

from __future__ import annotations

import json
import os
from collections import namedtuple

from lambda_app.errors import SettingError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

REPORT_AGENCY = frozenset({"name", "address", "telephone"})
CREDITOR = REPORT_AGENCY | {"agency", "report_agency"}
_BESIDE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "model", "artifacts")


class Settings(
    namedtuple("Settings", "model_dir max_body_length max_batch refuses_expired base_path cors_origins creditor")
):
    """The service's settings.

    `model_dir` (str), `max_body_length` (int), `max_batch` (int), `refuses_expired` (bool), `base_path` (str),
    `cors_origins` (frozenset of str), `creditor` (dict).
    """

    __slots__ = ()

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Settings:
        """Read the settings from a mapping such as `os.environ`.

        Raises
        ------
        SettingError
            A value is not one of those allowed.
        """
        return cls(
            environ.get("MODEL_DIR") or _BESIDE,
            whole(environ, "MAX_BODY_LENGTH", 1_048_576),
            whole(environ, "MAX_BATCH", 1000),
            _refuses_expired(environ),
            _base_path(environ),
            _origins(environ),
            _creditor(environ),
        )


def whole(environ: Mapping[str, str], name: str, default: int, least: int = 1) -> int:
    """A whole number of at most nine digits, or the default if the variable is empty.

    Raises
    ------
    SettingError
    """
    text = environ.get(name)
    if not text:
        return default
    if not text.isdecimal() or len(text) > 9 or int(text) < least:
        raise SettingError(name, f"a {'positive ' if least else ''}whole number of at most nine digits")
    return int(text)


def _refuses_expired(environ: Mapping[str, str]) -> bool:
    chosen = environ.get("EXPIRED_MODEL") or "serve"
    if chosen not in ("serve", "refuse"):
        raise SettingError("EXPIRED_MODEL", '"serve" or "refuse"')
    return chosen == "refuse"


def _base_path(environ: Mapping[str, str]) -> str:
    path = (environ.get("BASE_PATH") or "").rstrip("/")
    if path and not path.startswith("/"):
        raise SettingError("BASE_PATH", 'a path, such as "/credit"')
    return path


def _origins(environ: Mapping[str, str]) -> frozenset[str]:
    origins = frozenset((environ.get("CORS_ORIGINS") or "").replace(",", " ").split())
    for origin in origins - {"*"}:
        scheme, _, host = origin.partition("://")
        if scheme not in ("http", "https") or not host or "/" in host:
            raise SettingError("CORS_ORIGINS", 'origins such as "https://bank.example", parted by commas, or "*"')
    return origins


def _creditor(environ: Mapping[str, str]) -> dict[str, object]:
    try:
        creditor = json.loads(environ.get("CREDITOR") or "{}")
        agency = creditor.get("report_agency", {})
        texts = [*(creditor[name] for name in creditor.keys() - {"report_agency"}), *agency.values()]
        known = creditor.keys() <= CREDITOR and agency.keys() <= REPORT_AGENCY
    except (ValueError, AttributeError):
        known, texts, creditor = False, [], {}
    if not known or not all(isinstance(text, str) for text in texts):
        raise SettingError("CREDITOR", f"a JSON object of texts: {', '.join(sorted(CREDITOR))} (an object itself)")
    return dict(creditor)
