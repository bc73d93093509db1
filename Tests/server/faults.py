"""Answers that are unusual, wrong or broken, each under the name of its id.

They are made of what the right answer to the request would say.

script.py has the list. A fault takes the exchange and the number that may
follow its name in the id.
"""

import gzip
import zlib
from collections.abc import Callable

from .answer import HTML, Answer, padded
from .connection import Exchange

Fault = Callable[[Exchange, int], None]

MEBIBYTE = 1024 * 1024
BOMB_SIZE = 65 * MEBIBYTE
LONG_HEADER_SIZE = 200_000

_PAGE = b"<!DOCTYPE html><title>Welcome</title><p>Please log in to the network."

BY_NAME: dict[str, tuple[Fault, int]] = {}
"""Every fault, with the number it takes when the id has none."""


def _fault(name: str, default: int = 0) -> Callable[[Fault], Fault]:
    def register(fault: Fault) -> Fault:
        BY_NAME[name] = (fault, default)
        return fault

    return register


def _right(exchange: Exchange, reqid: bool = True, xlog: bool = True) -> Answer:
    return Answer(200, exchange.content.whole(), reqid=reqid, xlog=xlog)


# Unusual but right.


@_fault("xlog")
def xlog(exchange: Exchange, _: int) -> None:
    exchange.answer(_right(exchange, reqid=False))


@_fault("gzip")
def gzipped(exchange: Exchange, _: int) -> None:
    _answer_gzip(exchange, gzip.compress(exchange.content.whole()))


@_fault("chunked")
def chunked(exchange: Exchange, _: int) -> None:
    exchange.send(_chunked_head(exchange) + _chunks(exchange.content.whole()))
    exchange.send(b"0\r\nX-Trailer: stub\r\n\r\n")


@_fault("close")
def close(exchange: Exchange, _: int) -> None:
    exchange.answer(_right(exchange).having(("Connection", "close")))
    exchange.last = True


@_fault("close-idle")
def close_idle(exchange: Exchange, _: int) -> None:
    exchange.answer(_right(exchange))
    exchange.close()


@_fault("slow", default=100)
def slow(exchange: Exchange, milliseconds: int) -> None:
    exchange.pause(milliseconds / 1000)
    exchange.answer(_right(exchange))


@_fault("drip", default=1)
def drip(exchange: Exchange, milliseconds: int) -> None:
    answer = Answer(200, exchange.content.short())
    _send_slowly(exchange, answer.encode(exchange.reqid), milliseconds)


@_fault("drip-body", default=1)
def drip_body(exchange: Exchange, milliseconds: int) -> None:
    answer = Answer(200, exchange.content.short())
    exchange.send(answer.head(exchange.reqid))
    _send_slowly(exchange, answer.body, milliseconds)


@_fault("big", default=1_000_000)
def big(exchange: Exchange, size: int) -> None:
    exchange.answer(Answer(200, padded(exchange.content.short(), size)))


@_fault("continue")
def interim(exchange: Exchange, _: int) -> None:
    exchange.send(
        b"HTTP/1.1 100 Continue\r\nX-Reqid: interim-100\r\n\r\n"
        b"HTTP/1.1 103 Early Hints\r\nX-Reqid: interim-103\r\n"
        b"Link: </style.css>; rel=preload\r\n\r\n"
        + _right(exchange).encode(exchange.reqid)
    )


@_fault("duplicate-reqid")
def duplicate_reqid(exchange: Exchange, _: int) -> None:
    exchange.answer(_right(exchange).having(("X-Reqid", "another-reqid")))


@_fault("long-header")
def long_header(exchange: Exchange, _: int) -> None:
    exchange.answer(_right(exchange).having(("X-Long", "x" * LONG_HEADER_SIZE)))


@_fault("nul-header")
def nul_header(exchange: Exchange, _: int) -> None:
    exchange.answer(_right(exchange).having(("X-Nul", "before\0after")))


# Not from the service.


@_fault("hijacked")
def hijacked(exchange: Exchange, _: int) -> None:
    exchange.answer(_right(exchange, reqid=False, xlog=False))


@_fault("html")
def html(exchange: Exchange, _: int) -> None:
    exchange.answer(Answer(200, _PAGE, HTML))


@_fault("html-bare")
def html_bare(exchange: Exchange, _: int) -> None:
    exchange.answer(Answer(200, _PAGE, HTML, reqid=False, xlog=False))


@_fault("redirect", default=302)
def redirect(exchange: Exchange, code: int) -> None:
    status = code if 300 <= code <= 399 else 302
    location = ("Location", f"{exchange.origin}/stolen")
    exchange.answer(Answer(status, b"{}").having(location))


# Wrong content, rightly framed.


@_fault("malformed")
def malformed(exchange: Exchange, _: int) -> None:
    exchange.answer(Answer(200, _half(exchange.content.whole())))


@_fault("not-a-task")
def not_a_task(exchange: Exchange, _: int) -> None:
    exchange.answer(Answer.error(200, "this is not a task"))


@_fault("empty")
def empty(exchange: Exchange, _: int) -> None:
    exchange.answer(Answer(200))


@_fault("ill-utf8")
def ill_utf8(exchange: Exchange, _: int) -> None:
    content = exchange.content.whole()
    spoilt = content.replace("视频".encode(), b"\xe8\xa7\xff\xc0\x80")
    exchange.answer(Answer(200, spoilt))


@_fault("gzip-broken")
def gzip_broken(exchange: Exchange, _: int) -> None:
    body = bytearray(gzip.compress(exchange.content.whole()))
    middle = len(body) // 2
    body[middle : middle + 16] = bytes(16)
    _answer_gzip(exchange, bytes(body))


@_fault("gzip-cut")
def gzip_cut(exchange: Exchange, _: int) -> None:
    _answer_gzip(exchange, _half(gzip.compress(exchange.content.whole())))


@_fault("gzip-bomb")
def gzip_bomb(exchange: Exchange, _: int) -> None:
    """Inflates to what is right, so that only its size can be objected to."""
    start, end = exchange.content.short()[:-1] + b',"padding":"', b'"}'
    padding = b"x" * MEBIBYTE
    deflate = zlib.compressobj(level=6, wbits=zlib.MAX_WBITS | 16)
    pieces = [deflate.compress(start)]
    pieces += [deflate.compress(padding) for _ in range(BOMB_SIZE // MEBIBYTE)]
    pieces += [deflate.compress(end), deflate.flush()]
    _answer_gzip(exchange, b"".join(pieces))


# Broken transport.


@_fault("chunked-broken")
def chunked_broken(exchange: Exchange, _: int) -> None:
    chunks = _chunks(_half(exchange.content.whole()))
    exchange.send(_chunked_head(exchange) + chunks + b"xyz\r\n")
    exchange.close()


@_fault("chunked-early-close")
def chunked_early_close(exchange: Exchange, _: int) -> None:
    chunks = _chunks(_half(exchange.content.whole()))
    exchange.send(_chunked_head(exchange) + chunks + b"40\r\nnot sixty-four")
    exchange.close()


@_fault("close-before")
def close_before(exchange: Exchange, _: int) -> None:
    exchange.close()


@_fault("half-head")
def half_head(exchange: Exchange, _: int) -> None:
    exchange.send(b"HTTP/1.1 200 OK\r\nServer: stub\r\nContent-Ty")
    exchange.close()


@_fault("half-body")
def half_body(exchange: Exchange, _: int) -> None:
    _send_half_of_body(exchange)
    exchange.close()


@_fault("short-length")
def short_length(exchange: Exchange, _: int) -> None:
    content = exchange.content.whole()
    exchange.answer(Answer(200, content, length=len(content) - 10))
    exchange.close()


@_fault("reset")
def reset(exchange: Exchange, _: int) -> None:
    exchange.reset()


@_fault("reset-body")
def reset_body(exchange: Exchange, _: int) -> None:
    _send_half_of_body(exchange)
    exchange.reset()


@_fault("hang")
def hang(exchange: Exchange, _: int) -> None:
    exchange.pause(None)


@_fault("garbage")
def garbage(exchange: Exchange, _: int) -> None:
    exchange.send(b"\x00\x01\xfeSSH-2.0-stub\r\n\x80\xff\r\n\r\n")
    exchange.last = True


@_fault("http09")
def http09(exchange: Exchange, _: int) -> None:
    exchange.send(exchange.content.whole())
    exchange.last = True


def _half(data: bytes) -> bytes:
    return data[: len(data) // 2]


def _send_slowly(exchange: Exchange, data: bytes, milliseconds: int) -> None:
    for octet in data:
        exchange.send(bytes([octet]))
        exchange.pause(milliseconds / 1000)


def _send_half_of_body(exchange: Exchange) -> None:
    answer = _right(exchange)
    exchange.send(answer.head(exchange.reqid) + _half(answer.body))


def _answer_gzip(exchange: Exchange, body: bytes) -> None:
    exchange.answer(Answer(200, body).having(("Content-Encoding", "gzip")))


def _chunked_head(exchange: Exchange) -> bytes:
    return Answer(200).head(exchange.reqid, ("Transfer-Encoding", "chunked"))


def _chunks(body: bytes) -> bytes:
    """Cuts into chunks of one to seven bytes, without the last, empty one.

    Three bytes to most characters here and seven sizes in turn: every offset
    inside a character is a boundary somewhere.
    """
    encoded, position, size = bytearray(), 0, 1
    while position < len(body):
        chunk = body[position : position + size]
        encoded += b"%x\r\n%b\r\n" % (len(chunk), chunk)
        position += size
        size = size % 7 + 1
    return bytes(encoded)
