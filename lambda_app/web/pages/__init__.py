"""The service's HTML pages: their files, put together, and the headers that keep them to themselves."""

from __future__ import annotations

import os
import re
from binascii import b2a_base64, unhexlify

from lambda_app.manifest import digest
from lambda_app.web.messages import Response

HTML = "text/html; charset=utf-8"


def html_response(name: str, /, **parts: str) -> Response:
    """A page made of `frame.html` around `NAME.html`, with `NAME.css` and, if there is one, `NAME.js`.

    Parameters
    ----------
    name : str
    parts : str
        What to put in place of each `{part}` of the HTML: HTML itself, escaped already. Every page has a `title`.
    """
    style, script = _file(f"{name}.css"), _file(f"{name}.js")
    parts["script"] = script
    html = filled("frame.html", title=parts["title"], style=style, body=filled(f"{name}.html", **parts))
    return Response(200, html, HTML, headers=headers(style, script))


def filled(name: str, /, **parts: str) -> str:
    """A file with each `{part}` replaced; in one pass, since what is put in may itself hold braces."""
    return re.sub(r"\{(\w+)\}", lambda found: parts[found[1]], _file(name))


def number(value: float) -> str:
    """A number as people write it.

    >>> number(10_000_000), number(1_500_000.0), number(-0.5)
    ('10,000,000', '1,500,000', '-0.5')
    """
    return f"{value:,}" if isinstance(value, int) else f"{value:,.15g}"


def headers(style: str, script: str = "") -> dict[str, str]:
    """What a browser may do with a page: use this style and this script, call this service, and nothing else."""
    scripts = f"'{_hash(script)}'" if script else "'none'"
    return {
        "Content-Security-Policy": (
            f"default-src 'none'; script-src {scripts}; style-src '{_hash(style)}'; img-src data:; connect-src 'self'; "
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
        ),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
        "Referrer-Policy": "no-referrer",
    }


def _hash(text: str) -> str:
    return "sha256-" + b2a_base64(unhexlify(digest(text.encode()).removeprefix("sha256:")), newline=False).decode()


def _file(name: str) -> str:
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), name)
    if not os.path.exists(path):
        return ""
    with open(path, encoding="utf-8") as file:
        return file.read()
