"""Qiniu's request signatures, as the service sees them.

Written from Qiniu's description of them, and not from the library's code, so
that a mistake there cannot be repeated here: the two have to agree with each
other and with vectors computed by the Go SDK.
"""

import base64
import hmac
import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum

Headers = Iterable[tuple[str, str]]
"""Names and values in the order received."""

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"

DATE_TOLERANCE = timedelta(minutes=15)
"""How far X-Qiniu-Date may be from the service's clock."""

_DATE = re.compile(r"[0-9]{8}T[0-9]{6}Z")


class Verdict(StrEnum):
    """What became of verifying one request."""

    VERIFIED = "verified"
    ABSENT = "no authorization"
    REPEATED = "more than one authorization"
    SCHEME = "another scheme"
    ACCESS_KEY = "unknown access key"
    SIGNATURE = "wrong signature"
    DATE = "date malformed or too far from now"


def qiniu_authorization(
    access_key: str,
    secret_key: str,
    method: str,
    target: str,
    host: str,
    headers: Headers = (),
    body: bytes = b"",
) -> str:
    """The value of `Authorization` under the Qiniu (v2) scheme.

    `target` is the path with its query and `host` the Host header, both
    exactly as sent.
    """
    headers = list(headers)
    content_type = _content_type(headers, default=FORM)
    text = f"{method} {target}\nHost: {host}\nContent-Type: {content_type}\n"
    text += _signed_headers(headers)
    text += "\n"
    message = _octets(text)
    if content_type in (FORM, JSON):
        message += body
    return f"Qiniu {token(access_key, secret_key, message)}"


def qbox_authorization(
    access_key: str,
    secret_key: str,
    target: str,
    headers: Headers = (),
    body: bytes = b"",
) -> str:
    """The value of `Authorization` under the QBox (v1) scheme."""
    message = _octets(f"{target}\n")
    if _content_type(headers, default="") == FORM:
        message += body
    return f"QBox {token(access_key, secret_key, message)}"


def verify(
    secrets: Mapping[str, str],
    now: datetime,
    method: str,
    target: str,
    host: str,
    headers: Headers,
) -> Verdict:
    """Judges a request without a body, which must be signed as Qiniu v2.

    The date counts only once the signature is right: a request that nobody
    signed says nothing about anybody's clock.
    """
    headers = list(headers)
    given = [value for name, value in headers if name.lower() == "authorization"]
    if not given:
        return Verdict.ABSENT
    if len(given) > 1:
        return Verdict.REPEATED
    scheme, _, token = given[0].partition(" ")
    if scheme != "Qiniu":
        return Verdict.SCHEME
    access_key = token.partition(":")[0]
    secret_key = secrets.get(access_key)
    if secret_key is None:
        return Verdict.ACCESS_KEY
    expected = qiniu_authorization(
        access_key, secret_key, method, target, host, headers
    )
    if not hmac.compare_digest(_octets(expected), _octets(given[0])):
        return Verdict.SIGNATURE
    for name, value in headers:
        if name.lower() == "x-qiniu-date" and not is_current(value, now):
            return Verdict.DATE
    return Verdict.VERIFIED


def is_current(date: str, now: datetime) -> bool:
    """Whether `date` is a real YYYYMMDDTHHMMSSZ within the tolerance of `now`."""
    if not _DATE.fullmatch(date):
        return False
    try:
        return abs(datetime.fromisoformat(date) - now) <= DATE_TOLERANCE
    except ValueError:
        return False


def _content_type(headers: Headers, default: str) -> str:
    for name, value in headers:
        if name.lower() == "content-type":
            return value
    return default


def _signed_headers(headers: Headers) -> str:
    """The X-Qiniu-* lines; of a header sent twice only the first value counts."""
    signed: dict[str, str] = {}
    for name, value in headers:
        if name[:8].lower() == "x-qiniu-" and len(name) > 8:
            signed.setdefault(_canonical(name), value)
    return "".join(f"{name}: {signed[name]}\n" for name in sorted(signed))


def _canonical(name: str) -> str:
    return "-".join(part.capitalize() for part in name.split("-"))


def token(access_key: str, secret_key: str, message: bytes) -> str:
    """What follows the scheme: the access key and the signature."""
    digest = hmac.digest(secret_key.encode(), message, "sha1")
    return f"{access_key}:{base64.urlsafe_b64encode(digest).decode()}"


def _octets(text: str) -> bytes:
    """Header text as it was on the wire, where one character is one octet."""
    return text.encode("latin-1")
