"""Hostile events, generated cheaply by the hundred thousand from a seed."""

from __future__ import annotations

import base64
import json
from random import Random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lambda_app.web.body import Event

# Every hostile event has one of these in place of a value or a name; none may ever appear in an answer or the log.
CANARY_WORD = "CANARYwren"
CANARY_NUMBER = 7_319_246
CANARY_FLOAT = 0.7319246
CANARIES = (CANARY_WORD, str(CANARY_NUMBER), str(CANARY_FLOAT))
FIELDS = ("Num_Children", "Income", "Own_Car", "Own_Housing")
# The canary is within the range of Income, so an otherwise valid application is decided; other fields reject it.
VALID = {"Num_Children": 2, "Income": CANARY_NUMBER, "Own_Car": 1, "Own_Housing": 1}

# JSON texts that no field may hold. One integer exceeds Python's limit on digits.
BAD_TOKENS = (
    f'"{CANARY_WORD}"',
    f'["{CANARY_WORD}"]',
    f'{{"{CANARY_WORD}":{CANARY_NUMBER}}}',
    f"-{CANARY_NUMBER}",
    f"{CANARY_NUMBER}{CANARY_NUMBER}",
    f"{CANARY_FLOAT}",
    f"{CANARY_NUMBER}.0",
    f"{CANARY_NUMBER}e999",
    "1e999",
    "-1e999",
    "NaN",
    "Infinity",
    "-Infinity",
    "true",
    "false",
    "null",
    '""',
    "[]",
    "{}",
    '"1"',
    f'"{CANARY_NUMBER}"',
    '"\\ud800"',
    f'"{CANARY_WORD}\\udfff"',
    '"\\u0000"',
    str(CANARY_NUMBER) * 720,
    "1" * 4_000,
    "01",
    "+1",
    "0x10",
    "1_000",
    ".5",
    "١٢",
)
BAD_KEYS = (
    CANARY_WORD,
    "income",
    "Income ",
    "",
    "__class__",
    "Items",
    "\\ud800",
    f"{CANARY_WORD}\\udc00",
    "\\u0000",
    "Ɪncome",
)
BAD_METHODS = ("GET", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", CANARY_WORD, "", "POST ", "\ud800")
BAD_PATHS = (
    f"/{CANARY_WORD}",
    "/predict/x",
    "//predict",
    "/../predict",
    "/predict?x=1",
    "predict",
    "",
    "/PREDICT",
    "/\ud800",
)
BROKEN: tuple[Any, ...] = (
    None,
    1,
    True,
    [],
    [CANARY_WORD],
    {},
    {CANARY_WORD: CANARY_WORD},
    CANARY_WORD,
    CANARY_FLOAT,
    float("nan"),
)


def bodies(random: Random) -> str:
    """A body with at least one thing wrong."""
    members = {name: str(value) for name, value in VALID.items()}
    broken = random.choice(FIELDS)
    kind = random.randrange(9)
    if kind <= 3:
        members[broken] = random.choice(BAD_TOKENS)
    elif kind == 4:
        del members[broken]
    elif kind == 5:
        members[random.choice(BAD_KEYS)] = random.choice(BAD_TOKENS)
    text = ",".join(f'"{name}":{value}' for name, value in random.sample(sorted(members.items()), len(members)))
    text = f"{{{text}}}"
    if kind == 6:
        return f'{text[:-1]},"{broken}":{CANARY_NUMBER}}}'
    if kind == 7:
        cut = random.randrange(len(text))
        return text[:cut] + random.choice(("", CANARY_WORD, '"', "\x00", "}", ",", "\ufeff")) + text[cut + 1 :]
    if kind == 8:
        depth = random.randrange(1, 60)
        return "[" * depth + text + "]" * random.randrange(depth + 2)
    return text


def events(random: Random) -> Iterator[Any]:
    """An endless stream of hostile events."""
    shapes: tuple[Callable[[Random, str], Any], ...] = (_http, _http, _rest, _alb, _direct, _direct, _half_an_envelope)
    while True:
        yield random.choice(shapes)(random, bodies(random))


def _http(random: Random, body: str) -> Any:
    event = {"rawPath": "/predict", "requestContext": {"http": {"method": "POST"}, "stage": "$default"}}
    if random.random() < 0.1:
        event["rawPath"] = random.choice(BAD_PATHS)
    if random.random() < 0.1:
        event["requestContext"] = {"http": {"method": random.choice(BAD_METHODS)}, "stage": CANARY_WORD}
    return event | _carried(random, body)


def _rest(random: Random, body: str) -> Any:
    event = {"path": "/predict", "httpMethod": "POST", "requestContext": {"stage": "prod"}}
    if random.random() < 0.1:
        event[random.choice(("path", "httpMethod"))] = random.choice((*BAD_PATHS, *BAD_METHODS))
    return event | _carried(random, body)


def _alb(random: Random, body: str) -> Any:
    event: Event = {"path": "/", "httpMethod": "POST", "requestContext": {"elb": {}}}
    if random.random() < 0.5:
        event["multiValueHeaders"] = {CANARY_WORD: [CANARY_WORD]}
    return event | _carried(random, body)


def _direct(random: Random, body: str) -> Any:
    """A payload as the runtime client parses it: with NaN, infinities, and the last of two equal keys."""
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        return random.choice((*BROKEN, body))
    return random.choice((payload, payload, [payload, payload], {"Items": payload}, {"Items": [payload], "x": 1}))


def _half_an_envelope(random: Random, body: str) -> Any:
    event = random.choice((_http, _rest, _alb))(random, body)
    for _ in range(random.randrange(1, 3)):
        key = random.choice((*event, "body", "isBase64Encoded", "requestContext"))
        if random.random() < 0.3:
            event.pop(key, None)
        elif key == "requestContext" and random.random() < 0.7:
            event[key] = {random.choice(("http", "elb", "stage", CANARY_WORD)): random.choice(BROKEN)}
        else:
            event[key] = random.choice(BROKEN)
    return event


def _carried(random: Random, body: str) -> Event:
    kind = random.randrange(12)
    if kind == 0:  # says base64, and is none, or none of UTF-8
        text = random.choice((body, "=", "A", "AAA", "A===", "/w==", "7aCA", CANARY_WORD + "é"))
        return {"body": text, "isBase64Encoded": True}
    if kind <= 3:
        text = base64.b64encode(body.encode("utf-8", "surrogatepass")).decode()
        return {"body": text, "isBase64Encoded": kind != 1}
    return {"body": body, "isBase64Encoded": False}
