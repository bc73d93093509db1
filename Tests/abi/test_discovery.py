"""How a client finds hosts: what it asks the bucket service, and how often."""

import concurrent.futures
import os
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from gateway import Gateway
from prefop_binding import INTERRUPTIBLE, NO_DISCOVERY, USE_HTTP, Error, Prefop, PrefopError
from server import ACCESS_KEY, SECOND_ACCESS_KEY, SECOND_SECRET_KEY, SECRET_KEY, Kind, Region, StubServer

KEYS = {"access_key": ACCESS_KEY, "secret_key": SECRET_KEY}

ID = "echo.1"
"""Of a region that nobody knows unless the bucket service tells."""


@pytest.fixture
def api(server: StubServer) -> StubServer:
    """An API host that only the bucket service knows."""
    return server


@pytest.fixture
def bucket_service(api: StubServer) -> Iterator[StubServer]:
    with StubServer() as other:
        other.regions = [Region("z1", [address(api)]), Region("z2", [NOWHERE])]
        yield other


@pytest.fixture(autouse=True)
def gateway(api: StubServer, bucket_service: StubServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    """The proxy of every client here: names of the service end at it, with 502."""
    with Gateway({address(each): port(each) for each in (api, bucket_service)}) as gateway:
        monkeypatch.setenv("http_proxy", f"http://{gateway.address}")
        yield gateway


NOWHERE = "nowhere.example"


def address(server: StubServer) -> str:
    return str(server.http_url).partition("//")[2]


def port(server: StubServer) -> int:
    return int(address(server).partition(":")[2])


def client(prefop: Prefop, *bucket_services: StubServer, flags: int = 0, **options: Any) -> Any:
    hosts = ",".join(address(each) for each in bucket_services)
    defaults = {"bucket_hosts": hosts, "max_attempts": 1, "flags": USE_HTTP | flags}
    return prefop.client(**(defaults | KEYS | options))


def test_the_regions_are_asked_for_once(prefop: Prefop, api: StubServer, bucket_service: StubServer) -> None:
    with client(prefop, bucket_service) as asking:
        for _ in range(5):
            assert asking.query("ECHO.1")["persistent_id"] == "ECHO.1"
    (request,) = bucket_service.requests
    assert (request.kind, request.verdict) == (Kind.REGIONS, "verified")
    assert [record.id for record in api.requests] == ["ECHO.1"] * 5


def test_the_error_tells_of_all_hosts(prefop: Prefop, api: StubServer, bucket_service: StubServer) -> None:
    error = Error()
    with client(prefop, bucket_service) as asking:
        with pytest.raises(PrefopError) as caught:
            asking.query("status.503", error)
    message = caught.value.message
    for host in (address(api), NOWHERE, "api.qiniuapi.com", "api.qiniu.com"):
        assert host in message, message
    assert caught.value.attempts >= 5, "the bucket service's request counts"


def test_a_region_of_the_id_that_the_service_knows(
    prefop: Prefop, api: StubServer, bucket_service: StubServer
) -> None:
    bucket_service.regions = [Region("z2", [NOWHERE]), Region("echo", [address(api)])]
    with client(prefop, bucket_service) as asking:
        error = Error()
        assert asking.query(ID, error)["persistent_id"] == ID
        assert error.host.decode() == address(api)
        assert error.attempts == 3, "the host of the region's name, the bucket service, the host that it told of"


def test_a_bucket(prefop: Prefop, api: StubServer, bucket_service: StubServer) -> None:
    bucket_service.bucket_regions = {"a b&c": [Region("z9", [address(api)])]}
    with client(prefop, bucket_service) as asking:
        for _ in range(3):
            assert asking.query("ECHO.1", bucket_name="a b&c")["persistent_id"] == "ECHO.1"
        assert asking.query("ECHO.1")["persistent_id"] == "ECHO.1"
    kinds = [record.kind for record in bucket_service.requests]
    assert kinds == [Kind.BUCKET, Kind.REGIONS], "each asked once"
    request = bucket_service.requests[0]
    assert request.parameter("bucket") == "a b&c" and request.parameter("ak") == ACCESS_KEY
    assert request.header("authorization") is None


def test_each_account_has_its_own_regions(prefop: Prefop, api: StubServer, bucket_service: StubServer) -> None:
    with client(prefop, bucket_service) as asking:
        asking.query("ECHO.1")
        asking.query("ECHO.1", access_key=SECOND_ACCESS_KEY, secret_key=SECOND_SECRET_KEY)
        asking.query("ECHO.1")
    assert len(bucket_service.requests) == 2


def test_many_threads_ask_once(prefop: Prefop, api: StubServer, bucket_service: StubServer) -> None:
    bucket_service.bucket_service_fault = "fault.slow.300"
    with client(prefop, bucket_service) as asking, concurrent.futures.ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda number: asking.query(f"ECHO.{number}")["persistent_id"], range(64)))
    assert found == [f"ECHO.{number}" for number in range(64)]
    assert len(bucket_service.requests) == 1


def test_who_waits_is_told_of_a_failure(prefop: Prefop, bucket_service: StubServer) -> None:
    """And does not ask again at once: nobody is left but hosts that are not there."""
    bucket_service.bucket_service_fault = "status.403"

    def name(number: int) -> str:
        with pytest.raises(PrefopError) as caught:
            asking.query(f"ECHO.{number}")
        return caught.value.name

    with client(prefop, bucket_service) as asking, concurrent.futures.ThreadPoolExecutor(8) as pool:
        names = set(pool.map(name, range(32)))
    assert names == {"PREFOP_ERROR_SERVER"}, "what is told is what the last host said"
    assert len(bucket_service.requests) == 1


def test_a_short_query_that_asks_does_not_spoil_it_for_others(
    prefop: Prefop, api: StubServer, bucket_service: StubServer
) -> None:
    bucket_service.bucket_service_fault = "flaky.1.fault.hang"
    with client(prefop, bucket_service) as asking, concurrent.futures.ThreadPoolExecutor(2) as pool:
        short = pool.submit(lambda: asking.query("ECHO.1", timeout_ms=400))
        bucket_service.wait_for(lambda: bucket_service.total >= 1, timeout=10)
        long = pool.submit(lambda: asking.query("ECHO.2", timeout_ms=30_000))
        with pytest.raises(PrefopError):
            short.result()
        assert long.result()["persistent_id"] == "ECHO.2"
    assert bucket_service.total == 2, "the one that waited asked itself"


def test_the_bucket_service_takes_half_of_the_time_at_most(prefop: Prefop, gateway: Gateway) -> None:
    """And the host that is known by its name is asked in the other half."""
    with StubServer() as hanging:
        gateway.leads[address(hanging)] = port(hanging)
        hanging.fault = "fault.hang"
        with client(prefop, hanging, attempt_timeout_ms=60_000) as asking:
            begun = time.monotonic()
            with pytest.raises(PrefopError) as caught:
                asking.query("ECHO.1", timeout_ms=2_000)
            assert "api.qiniuapi.com" in caught.value.message, caught.value.message
            assert time.monotonic() - begun < 30


def test_fail_over_between_bucket_services(
    prefop: Prefop, gateway: Gateway, api: StubServer, bucket_service: StubServer
) -> None:
    for fault in ("port.refused", "status.503", "fault.hijacked", "fault.malformed", "fault.html", "fault.reset"):
        with StubServer() as bad:
            gateway.leads[address(bad)] = port(bad)
            bad.fault = fault
            with client(prefop, bad, bucket_service) as asking:
                assert asking.query("ECHO.1")["persistent_id"] == "ECHO.1", fault


def test_a_bucket_service_that_is_not_trusted(
    prefop: Prefop, api: StubServer, bucket_service: StubServer
) -> None:
    """It is told of when no other knew the regions, and not when another did."""
    api.fault = "status.503"
    with StubServer(tls=True) as untrusted:
        for hosts, status in (
            (f"{untrusted.https_url},{address(bucket_service)}", "PREFOP_ERROR_SERVER"),
            (f"{untrusted.https_url}", "PREFOP_ERROR_TLS"),
        ):
            with client(prefop, bucket_hosts=hosts) as asking, pytest.raises(PrefopError) as caught:
                asking.query("ECHO.1")
            assert caught.value.name == status, caught.value.fields
            assert str(untrusted.https_url).partition("//")[2] in caught.value.message, caught.value.message


@pytest.mark.parametrize("flags, keys", [(NO_DISCOVERY, KEYS), (1, {"access_key": None, "secret_key": None})])
def test_nobody_asks(prefop: Prefop, bucket_service: StubServer, flags: int, keys: dict[str, Any]) -> None:
    """With NO_DISCOVERY, and without a key pair to sign with."""
    with client(prefop, bucket_service, flags=flags, **keys) as asking:
        with pytest.raises(PrefopError):
            asking.query("ECHO.1", timeout_ms=500)
    assert bucket_service.total == 0


def test_the_environment_names_the_bucket_service(
    prefop: Prefop, api: StubServer, bucket_service: StubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QINIU_BUCKET_URL", f"{NOWHERE},{bucket_service.http_url}")
    with client(prefop, bucket_hosts=None) as asking:
        assert asking.query("ECHO.1")["persistent_id"] == "ECHO.1"
    with pytest.raises(PrefopError) as caught:
        monkeypatch.setenv("QINIU_BUCKET_URL", "not a host")
        client(prefop, bucket_hosts=None)
    assert caught.value.message.startswith("QINIU_BUCKET_URL"), caught.value.message


def test_an_old_answer_serves_while_the_service_is_down(
    prefop: Prefop, api: StubServer, bucket_service: StubServer
) -> None:
    bucket_service.regions = [Region("z1", [address(api)], ttl=1)]
    with client(prefop, bucket_service) as asking:
        assert asking.query("ECHO.1")["persistent_id"] == "ECHO.1"
        bucket_service.fault = "port.refused"
        time.sleep(1.1)
        assert asking.query("ECHO.2")["persistent_id"] == "ECHO.2"


def test_a_host_that_failed_is_set_aside(prefop: Prefop, api: StubServer, bucket_service: StubServer) -> None:
    bucket_service.regions = [Region("z2", [NOWHERE, address(api)])]
    with client(prefop, bucket_service) as asking:
        attempts = []
        for _ in range(3):
            error = Error()
            asking.query("ECHO.1", error)
            attempts.append(error.attempts)
    assert attempts == [3, 1, 1]


def test_a_signal_ends_the_wait_for_another_query(
    prefop: Prefop, api: StubServer, bucket_service: StubServer
) -> None:
    bucket_service.bucket_service_fault = "fault.slow.3000"
    over = threading.Event()

    def interrupt() -> None:
        bucket_service.wait_for(lambda: bucket_service.total >= 1, timeout=10)
        while not over.wait(0.02):
            signal.pthread_kill(threading.main_thread().ident, signal.SIGUSR1)

    before = signal.signal(signal.SIGUSR1, lambda *_: None)
    try:
        with client(prefop, bucket_service) as asking, concurrent.futures.ThreadPoolExecutor(2) as pool:
            leader = pool.submit(lambda: asking.query("ECHO.1"))
            bucket_service.wait_for(lambda: bucket_service.total >= 1, timeout=10)
            pool.submit(interrupt)
            with pytest.raises(PrefopError) as caught:
                asking.query("ECHO.2", flags=INTERRUPTIBLE)
            over.set()
            assert caught.value.name == "PREFOP_ERROR_INTERRUPTED"
            assert leader.result()["persistent_id"] == "ECHO.1", "who asks is not disturbed"
    finally:
        over.set()
        signal.signal(signal.SIGUSR1, before)


def test_a_child_asks_for_itself(prefop: Prefop, api: StubServer, bucket_service: StubServer) -> None:
    """Forked while another thread asks: that thread is not there in the child."""
    bucket_service.bucket_service_fault = "fault.slow.1000"
    with client(prefop, bucket_service) as asking, concurrent.futures.ThreadPoolExecutor(2) as pool:
        leader = pool.submit(lambda: asking.query("ECHO.1"))
        bucket_service.wait_for(lambda: bucket_service.total >= 1, timeout=10)
        child = os.fork()
        if child == 0:
            status = 1
            try:
                status = 0 if asking.query("ECHO.2")["persistent_id"] == "ECHO.2" else 1
            finally:
                os._exit(status)
        assert leader.result()["persistent_id"] == "ECHO.1"
        assert os.waitpid(child, 0)[1] == 0
    assert bucket_service.total == 2


# In a queue.


def completions(queue: Any) -> dict[int, Any]:
    ended = {}
    while queue.pending():
        done = queue.next(60_000)
        assert done, f"{queue.pending()} are missing"
        ended[done[0]] = done[1]
    return ended


def test_a_queue_asks_once(prefop: Prefop, api: StubServer, bucket_service: StubServer) -> None:
    """Of those that come together one asks, and the others wait for it without an attempt of their own."""
    bucket_service.bucket_service_fault = "fault.slow.300"
    with client(prefop, bucket_service) as asking, asking.queue() as queue:
        for tag in range(150):
            queue.submit(f"ECHO.{tag}", tag)
        ended = completions(queue)
    assert {tag: task["persistent_id"] for tag, task in ended.items()} == {tag: f"ECHO.{tag}" for tag in range(150)}
    assert len(bucket_service.requests) == 1


def test_a_queue_waits_for_a_blocking_query(prefop: Prefop, api: StubServer, bucket_service: StubServer) -> None:
    bucket_service.bucket_service_fault = "fault.slow.500"
    with client(prefop, bucket_service) as asking, asking.queue() as queue:
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            blocking = pool.submit(asking.query, "ECHO.x")
            assert bucket_service.wait_for(lambda: bucket_service.total == 1)
            for tag in range(20):
                queue.submit(f"ECHO.{tag}", tag)
            ended = completions(queue)
            assert blocking.result()["persistent_id"] == "ECHO.x"
    assert all(task["persistent_id"] == f"ECHO.{tag}" for tag, task in ended.items())
    assert len(bucket_service.requests) == 1


def test_whoever_waits_goes_on_when_the_one_that_asks_is_cancelled(
    prefop: Prefop, api: StubServer, bucket_service: StubServer
) -> None:
    bucket_service.bucket_service_fault = "flaky.1.fault.hang"
    with client(prefop, bucket_service) as asking, asking.queue() as queue:
        for tag in range(10):
            queue.submit(f"ECHO.{tag}", tag)
        while bucket_service.total < 1:
            assert queue.next(10) is None
        assert queue.cancel(0) == 1
        ended = completions(queue)
    assert ended.pop(0).name == "PREFOP_ERROR_CANCELLED"
    assert all(task["persistent_id"] == f"ECHO.{tag}" for tag, task in ended.items()) and len(ended) == 9
    assert len(bucket_service.requests) == 2


def test_a_queue_that_is_freed_while_it_asks(prefop: Prefop, api: StubServer, bucket_service: StubServer) -> None:
    bucket_service.bucket_service_fault = "flaky.1.fault.hang"
    with client(prefop, bucket_service) as asking:
        first, second = asking.queue(), asking.queue()
        first.submit("ECHO.1")
        second.submit("ECHO.2")
        while bucket_service.total < 1:
            assert first.next(10) is None
        assert second.next(50) is None, "it waits for the other queue"
        first.close()
        assert completions(second)[0]["persistent_id"] == "ECHO.2"
        second.close()
