"""Region answers that lie lead no signature astray.

Hosts are taken from a bucket service only when it is known to be one, and when
they are plain host names. All goes through a proxy that knows every name, the
liar's too, so whoever would be asked is asked, and noted.
"""

import pathlib
import re
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from gateway import Gateway
from prefop_binding import USE_HTTP, Prefop, PrefopError
from server import ACCESS_KEY, SECRET_KEY, Answer, Kind, Region, StubServer
from server.answer import compact

KEYS = {"access_key": ACCESS_KEY, "secret_key": SECRET_KEY}

BUCKET_SERVICE = "uc.qiniuapi.com"
GOOD = "good.qiniuapi.com"
"""An API host that only the bucket service knows."""

LIAR = "elsewhere.example"
"""Somebody's, with a right certificate for the name."""

ID = "echo.1"
"""Of the region "echo", which only the bucket service knows."""

ID_WITHOUT_REGION = "16864pauo1vc9nhp12"
BUCKET = "a-bucket"

OF_THE_SERVICE = re.compile(
    r"(api(-[a-z0-9]([a-z0-9-]*[a-z0-9])?)?|uc|kodo-config)\.qiniuapi\.com:443|uc\.qbox\.me:443"
)
"""Hosts that the library knows by itself."""


class World:
    """A bucket service, an API host, a liar, and a proxy that leads to them."""

    def __init__(self, held: ExitStack, folder: pathlib.Path) -> None:
        self.bucket_service = held.enter_context(StubServer(tls=True))
        self.api = held.enter_context(StubServer(tls=True))
        self.liar = held.enter_context(StubServer(tls=True, certificate="wrong-host"))
        servers = (self.bucket_service, self.api, self.liar)
        self.ca_file = folder / "trusted.pem"
        self.ca_file.write_bytes(b"".join(pathlib.Path(str(server.ca_file)).read_bytes() for server in servers))
        self.leads: dict[str, int] = {}
        self.lead(BUCKET_SERVICE, self.bucket_service)
        for name in (GOOD, "api.qiniuapi.com"):
            self.lead(name, self.api)
        self.lead(LIAR, self.liar)
        self.gateway = held.enter_context(Gateway(self.leads))

    def lead(self, name: str, server: StubServer) -> None:
        self.leads[f"{name}:443"] = _port(server.https_url)
        self.leads[f"{name}:80"] = _port(server.http_url)

    def clear(self) -> None:
        for server in (self.bucket_service, self.api, self.liar):
            server.reset()
        self.lead(BUCKET_SERVICE, self.bucket_service)
        self.gateway.requests.clear()

    def ask(self, prefop: Prefop, id: str = ID, bucket_name: str | None = None, **options: Any) -> str:
        """Asks with a new client; the name of the status."""
        options = {"proxy": self.gateway.address, "ca_file": str(self.ca_file), "max_attempts": 1} | options
        with prefop.client(**options, **KEYS) as client:
            try:
                client.query(id, **({"bucket_name": bucket_name} if bucket_name else {}))
            except PrefopError as error:
                assert SECRET_KEY not in str(error.fields), "a secret is shown"
                return error.name
        return "PREFOP_OK"

    def assert_nobody_else_was_asked(self) -> None:
        """Neither the liar nor anybody whom nobody rightly named."""
        assert self.liar.connections.accepted == 0, self.gateway.asked
        strangers = {host for host in self.gateway.hosts if not OF_THE_SERVICE.fullmatch(host)}
        assert strangers <= {f"{GOOD}:443"}, self.gateway.asked
        assert not any(each.shows_authorization for each in self.gateway.asked), self.gateway.asked
        unsigned = {record.verdict for record in self.bucket_service.requests_for(Kind.BUCKET)}
        assert unsigned <= {"no authorization"}, "a bucket's regions are asked for unsigned"


@pytest.fixture(scope="module")
def whole_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with ExitStack() as held:
        yield World(held, tmp_path_factory.mktemp("authorities"))


@pytest.fixture
def world(whole_world: World) -> World:
    whole_world.clear()
    return whole_world


def lying(*domains: Any) -> list[Any]:
    """The region asked for, with these hosts."""
    return [{"id": "echo", "region": "echo", "ttl": 86_400, "api": {"domains": list(domains), "old": []}}]


# What is taken, or the rest would say nothing.


def test_hosts_of_all_regions(prefop: Prefop, world: World) -> None:
    world.bucket_service.regions = [Region("other", [LIAR]), Region("echo", [GOOD])]
    assert world.ask(prefop) == "PREFOP_OK"
    world.assert_nobody_else_was_asked()
    assert {f"{BUCKET_SERVICE}:443", f"{GOOD}:443"} <= world.gateway.hosts
    (record,) = world.bucket_service.requests_for(Kind.REGIONS)
    assert record.verdict == "verified"
    assert {record.header("host") for record in world.api.requests} == {GOOD}
    assert {record.verdict for record in world.api.requests} == {"verified"}


def test_hosts_of_a_bucket(prefop: Prefop, world: World) -> None:
    world.bucket_service.bucket_regions = {BUCKET: [Region("echo", [GOOD])], "other": [Region("echo", [LIAR])]}
    assert world.ask(prefop, ID_WITHOUT_REGION, BUCKET) == "PREFOP_ERROR_NOT_FOUND"
    world.assert_nobody_else_was_asked()
    (record,) = world.bucket_service.requests_for(Kind.BUCKET)
    assert (record.parameter("ak"), record.parameter("bucket")) == (ACCESS_KEY, BUCKET)
    assert {record.header("host") for record in world.api.requests} == {GOOD}


def test_hosts_over_http_when_asked_for(prefop: Prefop, world: World) -> None:
    """By nature the proxy then sees all."""
    world.bucket_service.regions = lying(GOOD)
    assert world.ask(prefop, flags=USE_HTTP) == "PREFOP_OK"
    assert {f"{BUCKET_SERVICE}:80", f"{GOOD}:80"} <= world.gateway.hosts
    assert {record.verdict for record in world.api.requests} == {"verified"}


# Hosts that are none.

NO_HOSTS = [
    *("", " ", ".", "..", "../..", "/", "//", "a" * 254, "[::1", "[]", f"[{LIAR}]"),
    *(f"{LIAR}/", f"{LIAR}/status/get/prefop", f"{LIAR}?", f"{LIAR}#", f"{LIAR}#@{GOOD}", f"{LIAR}/../{GOOD}"),
    *(f"//{LIAR}", f"http://{LIAR}", f"https://{LIAR}", f"https://{LIAR}/", f"file://{LIAR}", f"HTTPS:{LIAR}"),
    *(f"user@{LIAR}", f"user:password@{LIAR}", f"{GOOD}@{LIAR}", f"{GOOD}:443@{LIAR}", f"{GOOD}\\@{LIAR}"),
    *(f"{LIAR}\r\nX-Y: z", f"{LIAR}\n", f"{LIAR}\t", f"{LIAR}\0", f"{LIAR}\0.{GOOD}", f"{LIAR}\x7f", f"{LIAR}\x1f"),
    *(f"{LIAR},{GOOD}", f"{GOOD},{LIAR}", f"{LIAR};{GOOD}", f"{LIAR} {GOOD}", f"{GOOD} {LIAR}"),
    *(f"{LIAR}:", f"{LIAR}:0", f"{LIAR}:65536", f"{LIAR}:+443", f"{LIAR}:443:443", f"{LIAR}:443/", f"{LIAR}:x"),
    *(f"{LIAR}%00", f"{LIAR}%2f", "elsewhere%2eexample", "elsewhere\u3002example", "ｅlsewhere.example", f"{LIAR}é"),
]


@pytest.mark.parametrize("where", ["regions", "bucket"])
@pytest.mark.parametrize("name", NO_HOSTS, ids=ascii)
def test_no_host(prefop: Prefop, world: World, name: str, where: str) -> None:
    """It may stand beside a good one or alone, preferred or not."""
    for domains in ([name], [name, GOOD], [GOOD, name]):
        answer = lying(*domains)
        world.bucket_service.regions = answer
        world.bucket_service.bucket_regions = {BUCKET: answer}
        if where == "regions":
            world.ask(prefop)
        else:
            world.ask(prefop, ID_WITHOUT_REGION, BUCKET)
    kind = Kind.REGIONS if where == "regions" else Kind.BUCKET
    assert world.bucket_service.requests_for(kind), "the bucket service was not asked"
    world.assert_nobody_else_was_asked()


def _api(hosts: Any) -> list[Any]:
    return [{"id": "echo", "ttl": 86_400, "api": hosts}]


@pytest.mark.parametrize(
    "regions",
    [
        _api({"domains": LIAR}),
        _api({"domains": {"0": LIAR}}),
        _api({"domains": [[LIAR]]}),
        _api({"domains": [{"host": LIAR}]}),
        _api({"domains": [1, None, True], "old": []}),
        _api([LIAR]),
        _api(LIAR),
        _api({"hosts": [LIAR]}),
        _api({"domains": []}),
        [{"id": ["echo"], "api": {"domains": [LIAR]}}],
        [LIAR],
        {"regions": {"echo": _api({"domains": [LIAR]})[0]}},
        _api({"domains": [LIAR]})[0],
        compact({"regions": _api({"domains": [LIAR]})}) + b"x",
        compact({"regions": _api({"domains": [LIAR]})})[:-1],
        compact({"regions": _api({"domains": [LIAR]})}).replace(b"86400", b"086400"),
        b"\xff" + compact({"regions": _api({"domains": [LIAR]})}),
    ],
    ids=lambda regions: ascii(regions)[:80],
)
def test_answers_of_another_form(prefop: Prefop, world: World, regions: Any) -> None:
    world.bucket_service.regions = regions
    world.ask(prefop)
    assert world.bucket_service.requests_for(Kind.REGIONS), "the bucket service was not asked"
    world.assert_nobody_else_was_asked()


def test_hosts_of_other_services(prefop: Prefop, world: World) -> None:
    """An upload host takes no such request, whatever it would do with one."""
    others = {name: {"domains": [LIAR], "old": [LIAR]} for name in ("io", "up", "rs", "rsf", "uc", "src", "s3")}
    world.bucket_service.regions = [{"id": "echo", "ttl": 86_400, **others, "api": {"domains": [], "old": []}}]
    world.ask(prefop)
    assert world.bucket_service.requests_for(Kind.REGIONS), "the bucket service was not asked"
    world.assert_nobody_else_was_asked()


# Answers that are not the bucket service's.

LIE = compact({"regions": lying(LIAR), "hosts": lying(LIAR)})

FAULTS = ["fault.hijacked", "fault.malformed", "fault.ill-utf8", "fault.half-body", "fault.reset-body"]
FAULTS += ["fault.chunked-early-close", "fault.gzip-cut", "fault.gzip-broken", "fault.http09", "fault.short-length"]

STATUSES = [300, 302, 400, 401, 403, 404, 429, 500, 502, 503, 573, 599, 612, 631]


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("fault", FAULTS)
def test_broken_answers(prefop: Prefop, world: World, fault: str, scheme: str) -> None:
    """Even of a bucket service over http that the client was given."""
    world.bucket_service.regions = [Region("echo", [LIAR])]
    world.bucket_service.bucket_service_fault = fault
    _ask_over(prefop, world, scheme)


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("code", STATUSES)
def test_failures_that_hold_regions(prefop: Prefop, world: World, code: int, scheme: str) -> None:
    world.bucket_service.regions = Answer(code, LIE)
    _ask_over(prefop, world, scheme)


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_redirection_of_the_bucket_service(prefop: Prefop, world: World, code: int, scheme: str) -> None:
    world.liar.regions = [Region("echo", [LIAR])]
    for url in (f"http://{LIAR}/regions", f"https://{LIAR}/regions"):
        world.bucket_service.bucket_service_fault = Answer(code, LIE).having(("Location", url))
        _ask_over(prefop, world, scheme)


def _ask_over(prefop: Prefop, world: World, scheme: str) -> None:
    world.ask(prefop, bucket_hosts=f"{scheme}://{BUCKET_SERVICE}")
    assert world.bucket_service.requests_for(Kind.REGIONS), "the bucket service was not asked"
    shown = {each.host for each in world.gateway.asked if each.shows_authorization}
    if scheme == "http":
        assert shown == {f"{BUCKET_SERVICE}:80"}, world.gateway.asked
        world.gateway.requests[:] = [each.head for each in world.gateway.asked if each.host not in shown]
    world.assert_nobody_else_was_asked()


@pytest.mark.parametrize("certificate", ["expired", "self-signed", "wrong-host"])
def test_a_bucket_service_that_is_not_trusted(prefop: Prefop, world: World, certificate: str) -> None:
    with StubServer(tls=True, certificate=certificate) as impostor:
        impostor.regions = [Region("echo", [LIAR])]
        world.lead(BUCKET_SERVICE, impostor)
        both = world.ca_file.with_name(f"{certificate}.pem")
        both.write_bytes(world.ca_file.read_bytes() + pathlib.Path(str(impostor.ca_file)).read_bytes())
        world.ask(prefop, ca_file=str(both))
        assert impostor.connections.accepted > 0 and impostor.total == 0, impostor.requests
    world.assert_nobody_else_was_asked()


@pytest.mark.parametrize("given", [None, BUCKET_SERVICE, f"https://{BUCKET_SERVICE}"])
def test_no_bucket_service_over_http_unless_asked_for(prefop: Prefop, world: World, given: str | None) -> None:
    """Neither when TLS fails there nor otherwise."""
    world.bucket_service.regions = [Region("echo", [LIAR])]
    world.leads[f"{BUCKET_SERVICE}:443"] = _port(world.bucket_service.http_url)
    # A plain server waits for the end of what looks like no request.
    world.ask(prefop, bucket_hosts=given, connect_timeout_ms=500)
    assert world.bucket_service.connections.accepted > 0, "the bucket service was not asked"
    assert world.bucket_service.requests_for(Kind.REGIONS) == []
    world.assert_nobody_else_was_asked()


# Regions that an id would have.


@pytest.mark.parametrize(
    "id",
    [
        *(f"{LIAR}/.x", f"{LIAR}#.x", f"{LIAR}?.x", f"x@{LIAR}.y", f"x/@{LIAR}/.y", f"x\\.{LIAR}", f"x:y@{LIAR}.z"),
        *("-a.x", "a-.x", "-.x", "..x", ".x", "A.x", "z0/.x", "z0%2f.x", "z 0.x", "z_0.x", "é.x", "z0\u3002y.x"),
        *("a" * 33 + ".x", "a" * 250 + ".x", "0.x", "z0", "z0.", "xn--a.x", "127.0.0.1", "[::1].x"),
    ],
    ids=ascii,
)
def test_region_in_an_id(prefop: Prefop, world: World, id: str) -> None:
    """It becomes part of a host's name, and so must be nothing else."""
    world.bucket_service.regions = []
    world.ask(prefop, id)
    world.assert_nobody_else_was_asked()
    assert f"{GOOD}:443" not in world.gateway.hosts
    assert all(len(host) <= len("api-.qiniuapi.com:443") + 32 for host in world.gateway.hosts), world.gateway.hosts


def _port(url: str | None) -> int:
    return int(str(url).rpartition(":")[2])
