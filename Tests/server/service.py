"""Which request gets what: paths, authorization, then the script."""

import re
from datetime import UTC, datetime
from urllib.parse import unquote_to_bytes

from . import tasks
from .answer import HTML, TEXT, Answer, compact
from .connection import Exchange
from .credentials import SECRETS
from .log import Kind, Log, Record, access_key, without_signature
from .regions import BucketService, content_of
from .script import Fault, Play, Script
from .signature import Verdict, verify

_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


class Service:
    """The status API, the bucket service, and two paths only tests know."""

    def __init__(self, log: Log) -> None:
        self.log = log
        self.script = Script()
        self.bucket_service = BucketService()
        self.fault: Fault | None = None
        """What becomes of every request, whatever it asks for."""
        self.bucket_service_fault: Fault | None = None
        """The same of requests to the bucket service, before `fault`."""

    def clear(self) -> None:
        """Forgets what was asked, flaky ids as well."""
        self.log.clear()
        self.script.clear()

    def reset(self) -> None:
        """Forgets what a test set, too."""
        self.fault = self.bucket_service_fault = None
        self.bucket_service.clear()
        self.clear()

    def serve(self, exchange: Exchange) -> None:
        """Answers one well-formed request."""
        match exchange.request.path:
            case "/status/get/prefop":
                self._answer(exchange, Kind.TASK, *self._status(exchange))
            case "/regions":
                self._answer(exchange, Kind.REGIONS, *self._regions(exchange))
            case "/v4/query":
                self._answer(exchange, Kind.BUCKET, *self._bucket(exchange))
            case "/_requests":
                self._serve_log(exchange)
            case "/stolen":
                self._record(exchange, Kind.OTHER, "stolen")
                exchange.answer(Answer(200, tasks.echo("stolen")))
            case _:
                answer = Answer(404, b"404 page not found\n", TEXT)
                self._answer(exchange, Kind.OTHER, "no such path", _play(answer))

    def refuse(self, exchange: Exchange, reason: str) -> None:
        """Answers what was no acceptable request, as the service's front does."""
        self._record(exchange, Kind.OTHER, f"bad request: {reason}")
        page = b"<html><head><title>400 Bad Request</title></head></html>\r\n"
        exchange.answer(Answer(400, page, HTML).having(("Connection", "close")))

    def _answer(
        self, exchange: Exchange, kind: Kind, verdict: str, right: Play
    ) -> None:
        """Notes the request, before it is answered so that a test sees it."""
        self._record(exchange, kind, verdict)
        fault = self.fault
        if kind in (Kind.REGIONS, Kind.BUCKET):
            fault = self.bucket_service_fault or fault
        if fault is None:
            right(exchange)
        else:
            self.script.play_fault(fault, exchange, right)

    def _status(self, exchange: Exchange) -> tuple[str, Play]:
        """Judges a request for a task; what is right to answer."""
        request = exchange.request
        if request.method != "GET":
            return _another_method()
        task_id = parameter_in(request.query, "id")
        if task_id is None:
            return "no id", _play(Answer.error(400, "invalid argument"))
        exchange.id = task_id
        exchange.content = tasks.content(task_id)
        verdict = _verdict(exchange)
        if task_id.startswith("anonymous."):
            welcome = verdict is Verdict.ABSENT
        else:
            welcome = verdict is Verdict.VERIFIED
        return verdict, self.script.play if welcome else _unauthorized(verdict)

    def _regions(self, exchange: Exchange) -> tuple[str, Play]:
        """Judges a request for all regions, which must be signed."""
        if exchange.request.method != "GET":
            return _another_method()
        answer = self.bucket_service.all_regions()
        exchange.content = content_of(answer)
        verdict = _verdict(exchange)
        welcome = verdict is Verdict.VERIFIED
        return verdict, _play(answer) if welcome else _unauthorized(verdict)

    def _bucket(self, exchange: Exchange) -> tuple[str, Play]:
        """Judges a request for a bucket's regions, which must not be signed."""
        request = exchange.request
        if request.method != "GET":
            return _another_method()
        key = parameter_in(request.query, "ak")
        bucket = parameter_in(request.query, "bucket")
        if key is None or bucket is None:
            return "no ak or bucket", _play(Answer.error(400, "invalid argument"))
        answer = self.bucket_service.regions_of(bucket)
        exchange.content = content_of(answer)
        if request.header("authorization") is not None:
            return "must not be signed", _play(Answer.error(400, "invalid argument"))
        if key not in SECRETS:
            return Verdict.ACCESS_KEY, _play(Answer.error(400, "invalid argument"))
        return Verdict.ABSENT, _play(answer)

    def _serve_log(self, exchange: Exchange) -> None:
        """Not recorded, since looking must not change what is seen."""
        match exchange.request.method:
            case "GET":
                exchange.answer(Answer(200, compact(self.log.as_json())))
            case "DELETE":
                self.clear()
                exchange.answer(Answer(204))
            case _:
                error = Answer.error(405, "method not allowed")
                exchange.answer(error.having(("Allow", "GET, DELETE")))

    def _record(self, exchange: Exchange, kind: Kind, verdict: str) -> None:
        request = exchange.request
        self.log.add(
            Record(
                connection=exchange.connection,
                port=exchange.port,
                is_resumed=exchange.is_resumed,
                kind=kind,
                method=request.method,
                target=request.target,
                id=exchange.id or None,
                headers=without_signature(request),
                access_key=access_key(request),
                verdict=str(verdict),
                reqid=exchange.reqid,
            )
        )


def _play(answer: Answer) -> Play:
    return lambda exchange: exchange.answer(answer)


def _another_method() -> tuple[str, Play]:
    error = Answer.error(405, "method not allowed")
    return "another method", _play(error.having(("Allow", "GET")))


def _verdict(exchange: Exchange) -> Verdict:
    request = exchange.request
    return verify(
        SECRETS,
        datetime.now(UTC),
        request.method,
        request.target,
        request.header("host") or "",
        request.headers,
    )


def _unauthorized(verdict: Verdict) -> Play:
    late = verdict is Verdict.DATE
    return _play(Answer.error(401, "token out of date" if late else "bad token"))


def parameter_in(query: str, wanted: str) -> str | None:
    """An unescaped parameter of a query; None if there is none to make sense of."""
    for parameter in query.split("&"):
        name, _, value = parameter.partition("=")
        if name == wanted and value:
            if _BAD_ESCAPE.search(value):
                return None
            try:
                return unquote_to_bytes(value.replace("+", " ")).decode()
            except UnicodeDecodeError:
                return None
    return None
