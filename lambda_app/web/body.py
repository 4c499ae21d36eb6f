"""Reads the body of an HTTP request as strict JSON, without Python's extensions to it."""

from __future__ import annotations

import json

from lambda_app.errors import Malformed, TooLarge

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

    # Whatever an integration or a caller sends, unchecked.
    Event = dict[str, Any]


def parsed(envelope: Event, max_body_length: int) -> object:
    """The body of an HTTP event, as strict JSON.

    Parameters
    ----------
    envelope : dict
        The event; its `body` is base64 if `isBase64Encoded` is true.
    max_body_length : int
        In characters, as it arrives.

    Raises
    ------
    Malformed, TooLarge
    """
    body = envelope.get("body")
    if not isinstance(body, str) or not body:
        raise Malformed("The request has no body")
    if len(body) > max_body_length:
        raise TooLarge(f"A body may have {max_body_length} characters")
    if envelope.get("isBase64Encoded") is True:
        from binascii import a2b_base64  # most bodies are text, so the cold start does without it

        try:
            body = a2b_base64(body, strict_mode=True).decode()
        except ValueError:
            raise Malformed("The body is not UTF-8 text in base64, as its envelope says it is") from None
    try:
        return _decoder.decode(body.removeprefix("\ufeff"))  # the runtime client takes one, too
    except RecursionError:
        raise Malformed("The body is nested too deeply") from None
    except _NotStrictJson as err:
        raise Malformed(str(err)) from None
    except json.JSONDecodeError:
        # Its message may quote the text.
        raise Malformed("The body is not JSON") from None
    except ValueError:
        # What remains is Python's limit on the digits of an integer. A custom `parse_int` could check it first, but
        # would add a call for every integer in every request.
        raise Malformed("The body holds an integer of too many digits") from None


class _NotStrictJson(ValueError):
    """Python accepts it, but it is not strict JSON."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    unique = dict(pairs)
    if len(unique) != len(pairs):
        raise _NotStrictJson("The body names a key twice")
    return unique


def _no_constant(_name: str) -> NoReturn:
    raise _NotStrictJson("The body holds NaN or an infinity, which are not JSON")


_decoder = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant)
