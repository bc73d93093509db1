"""Which request gets what: paths, authorization, then the script."""

import re
from datetime import UTC, datetime
from urllib.parse import unquote_to_bytes

from . import tasks
from .answer import HTML, TEXT, Answer, compact
from .connection import Exchange
from .credentials import SECRETS
from .log import Log, Record, access_key, without_signature
from .script import Script
from .signature import Verdict, verify

_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


class Service:
    """The status API, and two paths only tests know."""

    def __init__(self, log: Log) -> None:
        self.log = log
        self.script = Script()

    def clear(self) -> None:
        """Forgets everything, flaky ids as well."""
        self.log.clear()
        self.script.clear()

    def serve(self, exchange: Exchange) -> None:
        """Answers one well-formed request."""
        match exchange.request.path:
            case "/status/get/prefop":
                self._serve_status(exchange)
            case "/_requests":
                self._serve_log(exchange)
            case "/stolen":
                self._record(exchange, "stolen")
                exchange.answer(Answer(200, tasks.echo("stolen")))
            case _:
                self._record(exchange, "no such path")
                exchange.answer(Answer(404, b"404 page not found\n", TEXT))

    def refuse(self, exchange: Exchange, reason: str) -> None:
        """Answers what was no acceptable request, as the service's front does."""
        self._record(exchange, f"bad request: {reason}")
        page = b"<html><head><title>400 Bad Request</title></head></html>\r\n"
        exchange.answer(Answer(400, page, HTML).having(("Connection", "close")))

    def _serve_status(self, exchange: Exchange) -> None:
        request = exchange.request
        if request.method != "GET":
            self._record(exchange, "another method")
            error = Answer.error(405, "method not allowed")
            exchange.answer(error.having(("Allow", "GET")))
            return
        task_id = task_id_in(request.query)
        if task_id is None:
            self._record(exchange, "no id")
            exchange.answer(Answer.error(400, "invalid argument"))
            return
        exchange.id = task_id
        verdict = verify(
            SECRETS,
            datetime.now(UTC),
            request.method,
            request.target,
            request.header("host") or "",
            request.headers,
        )
        self._record(exchange, verdict)
        if task_id.startswith("anonymous."):
            welcome = verdict is Verdict.ABSENT
        else:
            welcome = verdict is Verdict.VERIFIED
        if welcome:
            self.script.play(exchange)
        elif verdict is Verdict.DATE:
            exchange.answer(Answer.error(401, "token out of date"))
        else:
            exchange.answer(Answer.error(401, "bad token"))

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

    def _record(self, exchange: Exchange, verdict: str) -> None:
        """Notes the request; before it is answered, so that a test sees it."""
        request = exchange.request
        self.log.add(
            Record(
                connection=exchange.connection,
                port=exchange.port,
                method=request.method,
                target=request.target,
                id=exchange.id or None,
                headers=without_signature(request),
                access_key=access_key(request),
                verdict=str(verdict),
                reqid=exchange.reqid,
            )
        )


def task_id_in(query: str) -> str | None:
    """The unescaped `id` of a query; None if there is none to make sense of."""
    for parameter in query.split("&"):
        name, _, value = parameter.partition("=")
        if name == "id" and value:
            if _BAD_ESCAPE.search(value):
                return None
            try:
                return unquote_to_bytes(value.replace("+", " ")).decode()
            except UnicodeDecodeError:
                return None
    return None
