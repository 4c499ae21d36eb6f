"""The caller's own key of an application: echoed and logged, so that an outcome finds its decision; never scored."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambda_app.errors import BrokenRule

KEY = "application_id"
HEADER = "x-application-id"
# What a release calls its golden cases: they are no customers. Only a direct invoke, which IAM allows, may say so.
RELEASE_CHECK = "release-check"
# A key reaches the log. No name, e-mail address or sentence can be written with these.
LONGEST = 64
CHARACTERS_PATTERN = "A-Za-z0-9_.:-"
CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:")


def parted(application: object, header: object = None) -> tuple[str | None, object, list[BrokenRule]]:
    """Take the key from an application as the caller sent it.

    Parameters
    ----------
    application : object
        Unchecked; it is not changed.
    header : object, optional
        The key that the request names in its header, unchecked.

    Returns
    -------
    tuple of (str or None, object, list of BrokenRule)
        The key, the application without it, and what is wrong with the key, which then is None.
    """
    if not isinstance(application, dict) or KEY not in application:
        key: object = header
    else:
        application = dict(application)
        key = application.pop(KEY)
        if header is not None and key != header:
            return None, application, [_broken("mismatch", f"The {HEADER} header names another")]
    if key is None:
        return None, application, []
    if not isinstance(key, str):
        return None, application, [_broken("string_type", "A key is a string")]
    if not 0 < len(key) <= LONGEST or not CHARACTERS.issuperset(key):
        detail = f"A key has 1 to {LONGEST} characters: A-Z a-z 0-9 - _ . :"
        return None, application, [_broken("string_pattern_mismatch", detail)]
    return key, application, []


def _broken(rule: str, detail: str) -> BrokenRule:
    return {"field": KEY, "rule": rule, "detail": detail}
