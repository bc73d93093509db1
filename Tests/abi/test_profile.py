"""The profile file: when it is read, which files are refused, and what each key does."""

import os
import pathlib
import resource
import socket
import sys
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from gateway import Gateway
from prefop_binding import NO_ENVIRONMENT, Prefop, PrefopError
from server import ACCESS_KEY, SECRET_KEY, Region, StubServer
from signing import Notice

SECRET = "5ecret-that-must-not-be-shown"
PAIR = f'access_key = "AK-of-the-file"\nsecret_key = "{SECRET}"\n'
DEFAULT = f"[default]\n{PAIR}"
BROKEN = f'[default]\nsecret_key = "{SECRET}\n'
KEYS = {"access_key": "AK-of-the-options", "secret_key": "SK-of-the-options"}
OTHERS = 65534
"""The number of a user who is not root."""

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


@pytest.fixture
def home(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """A home without a profile file."""
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def at_home(home: pathlib.Path) -> pathlib.Path:
    """~/.qiniu/config.toml, with a pair."""
    (home / ".qiniu").mkdir()
    return write(home / ".qiniu" / "config.toml", DEFAULT)


@pytest.fixture
def named(home: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """The file that QINIU_CONFIG_FILE names, with a pair."""
    path = write(home / "named.toml", DEFAULT)
    monkeypatch.setenv("QINIU_CONFIG_FILE", str(path))
    return path


def write(path: pathlib.Path, text: str | bytes) -> pathlib.Path:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    path.chmod(0o600)
    return path


def access_key(prefop: Prefop, **options: Any) -> str | None:
    """Whose pair a client has, of those of this file; None: it has none."""
    secrets = {
        "AK-of-the-file": SECRET,
        KEYS["access_key"]: KEYS["secret_key"],
        "AK-of-the-environment": "SK-of-the-environment",
        "AK-of-another-profile": SECRET,
    }
    with prefop.client(**options) as client:
        for access, secret in secrets.items():
            notice = Notice(access_key=access, secret_key=secret).signed()
            try:
                prefop.verify(notice.lines, notice.body, client, url=notice.url)
                return access
            except PrefopError as error:
                if error.name == "PREFOP_ERROR_CREDENTIALS":
                    return None
                assert error.name == "PREFOP_ERROR_UNKNOWN_KEY", error
    raise AssertionError("the pair is none of those")


def refusal(prefop: Prefop, status: str = "CONFIGURATION", **options: Any) -> str:
    with pytest.raises(PrefopError) as caught:
        prefop.client(**options).close()
    assert caught.value.name == f"PREFOP_ERROR_{status}", caught.value
    message = str(caught.value.message)
    assert "5ecret" not in message and message.isprintable(), message
    return message


# Who is asked first.


def set_pair(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QINIU_ACCESS_KEY", "AK-of-the-environment")
    monkeypatch.setenv("QINIU_SECRET_KEY", "SK-of-the-environment")


@pytest.mark.parametrize("file", ["named", "at_home"])
def test_options_then_environment_then_file(
    prefop: Prefop, file: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    request.getfixturevalue(file)
    assert access_key(prefop) == "AK-of-the-file"
    set_pair(monkeypatch)
    assert access_key(prefop) == "AK-of-the-environment"
    assert access_key(prefop, **KEYS) == KEYS["access_key"]
    monkeypatch.setenv("QINIU_ACCESS_KEY", "")
    monkeypatch.setenv("QINIU_SECRET_KEY", "")
    assert access_key(prefop) == "AK-of-the-file"


def test_the_query_comes_first(prefop: Prefop, server: StubServer, named: pathlib.Path) -> None:
    write(named, f'[default]\naccess_key = "{ACCESS_KEY}"\nsecret_key = "{SECRET_KEY}"\n')
    with prefop.client(api_hosts=server.http_url) as client:
        assert client.query("echo.1")["persistent_id"] == "echo.1"
        with pytest.raises(PrefopError) as caught:
            client.query("echo.1", access_key="an-unknown-key", secret_key="b")
        assert caught.value.name == "PREFOP_ERROR_UNAUTHORIZED", caught.value


def test_half_a_pair_of_the_environment_comes_before_the_file(
    prefop: Prefop, named: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QINIU_ACCESS_KEY", "a")
    assert "QINIU_SECRET_KEY is missing" in refusal(prefop)


def test_the_named_file_comes_before_the_one_at_home(
    prefop: Prefop, at_home: pathlib.Path, named: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(at_home, BROKEN)
    assert access_key(prefop) == "AK-of-the-file"
    monkeypatch.setenv("QINIU_CONFIG_FILE", "")
    assert str(at_home) in refusal(prefop)


def test_no_environment_no_file(prefop: Prefop, at_home: pathlib.Path, named: pathlib.Path) -> None:
    write(at_home, BROKEN)
    write(named, BROKEN)
    assert access_key(prefop, flags=NO_ENVIRONMENT) is None


def test_the_file_at_home_is_read_for_a_pair_alone(
    prefop: Prefop, at_home: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who has one is not kept from work by a file that is not for this program."""
    write(at_home, BROKEN)
    assert f"{at_home}, line 2: " in refusal(prefop)
    assert access_key(prefop, **KEYS) == KEYS["access_key"]
    set_pair(monkeypatch)
    assert access_key(prefop) == "AK-of-the-environment"


def test_the_named_file_is_always_read(
    prefop: Prefop, named: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(named, BROKEN)
    set_pair(monkeypatch)
    assert f"{named}, line 2: " in refusal(prefop)
    assert f"{named}, line 2: " in refusal(prefop, **KEYS)


# Which file, which profile.


def test_no_file_at_home(prefop: Prefop, home: pathlib.Path) -> None:
    assert access_key(prefop) is None
    (home / ".qiniu").mkdir()
    assert access_key(prefop) is None
    (home / ".qiniu").rmdir()
    (home / ".qiniu").touch()
    assert access_key(prefop) is None


@pytest.mark.parametrize("home", [None, "", ".", "relative", "/" + 600 * "x"])
def test_never_the_current_folder(
    prefop: Prefop, home: str | None, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in (tmp_path, tmp_path / "relative"):
        (folder / ".qiniu").mkdir(parents=True)
        write(folder / ".qiniu" / "config.toml", DEFAULT)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HOME") if home is None else monkeypatch.setenv("HOME", home)
    assert access_key(prefop) is None
    monkeypatch.setenv("QINIU_PROFILE", "prod")
    assert refusal(prefop) == '~/.qiniu/config.toml: QINIU_PROFILE names "prod", but there is no such file'


def test_a_named_file_may_be_relative(
    prefop: Prefop, named: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(named.parent)
    monkeypatch.setenv("QINIU_CONFIG_FILE", named.name)
    assert access_key(prefop) == "AK-of-the-file"


def test_a_long_name(prefop: Prefop, named: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Longer than a message is."""
    folder = named.parent
    for _ in range(6):
        folder = folder / ("x" * 200)
        folder.mkdir()
    path = write(folder / "config.toml", DEFAULT)
    monkeypatch.setenv("QINIU_CONFIG_FILE", str(path))
    assert access_key(prefop) == "AK-of-the-file"
    write(path, BROKEN)
    message = refusal(prefop)
    assert message.startswith("...x") and "x/config.toml, line 2: " in message, message
    monkeypatch.setenv("QINIU_CONFIG_FILE", "/" + "x/" * 4000)
    assert "/x/x/x/: it cannot be read (errno " in refusal(prefop)


def test_the_named_file_must_be_there(prefop: Prefop, named: pathlib.Path) -> None:
    named.unlink()
    assert refusal(prefop) == f"{named}: QINIU_CONFIG_FILE names it, but there is no such file"
    assert str(named) in refusal(prefop, **KEYS)
    named.symlink_to("nowhere")
    assert "no such file" in refusal(prefop)


def test_the_named_profile_must_be_there(
    prefop: Prefop, home: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QINIU_PROFILE", "prod")
    path = home / ".qiniu" / "config.toml"
    assert refusal(prefop) == f'{path}: QINIU_PROFILE names "prod", but there is no such file'
    path.parent.mkdir()
    write(path, DEFAULT)
    assert refusal(prefop) == f'{path}: QINIU_PROFILE names "prod", but there is no such table'
    assert access_key(prefop, **KEYS) == KEYS["access_key"]
    monkeypatch.setenv("QINIU_PROFILE", "")
    assert access_key(prefop) == "AK-of-the-file"


def test_the_default_profile_need_not_be_there(prefop: Prefop, named: pathlib.Path) -> None:
    for text in ("", "[defaul]\n" + PAIR, PAIR, "[x.default]\n" + PAIR):
        write(named, text)
        assert access_key(prefop) is None, text


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("prod", "[prod]"),
        ("prod", "[ 'prod' ]"),
        ("prod", '["\\u0070rod"]'),
        ("a.b", '["a.b"]'),
        ("名", "['名']"),
        ("x y", '["x y"]'),
        ("with\\", "['with\\']"),
        ("\x7f", '["\\u007F"]'),
        ("a" * 5000, "[" + "a" * 5000 + "]"),
    ],
)
def test_profile_names(
    prefop: Prefop, named: pathlib.Path, name: str, header: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = PAIR.replace("of-the-file", "of-another-profile")
    write(named, f"{DEFAULT}[a.b]\nx = 1\n{header}\n{other}")
    monkeypatch.setenv("QINIU_PROFILE", name)
    assert access_key(prefop) == "AK-of-another-profile"
    monkeypatch.setenv("QINIU_PROFILE", name + "?")
    assert "no such table" in refusal(prefop)


@pytest.mark.parametrize(
    "text",
    [
        DEFAULT,
        f"['default']\r\n{PAIR}",
        f'["d\\u0065fault"]\n{PAIR}',
        f"default.access_key = 'AK-of-the-file'\ndefault.'secret_key' = '''\n{SECRET}'''\n",
        f"default = {{ access_key = 'AK-of-the-file', 'secret_key' = \"{SECRET}\" }}",
        f"[default.other]\n{PAIR.upper()}[default]\n{PAIR}",
        f"{DEFAULT}[default.other]\naccess_key = 1\n[[x]]\naccess_key = 2\n",
        f"x = {{default = {{access_key = 1}}}}\n{DEFAULT}",
        f'[default]\naccess_key = """\\\n  AK-\\\n  of-the\\u002dfile"""\nsecret_key = "{SECRET[:-1]}\\U0000006E"\n',
        f"[default]\n{PAIR}unknown = 1\nregion.z0 = [1979-05-27]\n",
    ],
)
def test_forms_of_a_profile(prefop: Prefop, named: pathlib.Path, text: str) -> None:
    write(named, text)
    assert access_key(prefop) == "AK-of-the-file"


# Files that somebody else may have written.


def test_a_symbolic_link(prefop: Prefop, named: pathlib.Path) -> None:
    target = named.rename(named.with_name("elsewhere.toml"))
    named.symlink_to(target.name)
    assert access_key(prefop) == "AK-of-the-file"
    target.chmod(0o620)
    assert "others may write it" in refusal(prefop)


def test_a_circle_of_symbolic_links(prefop: Prefop, named: pathlib.Path) -> None:
    named.unlink()
    named.symlink_to(named.name)
    assert "cannot be read" in refusal(prefop)


@pytest.mark.parametrize("mode", [0o400, 0o600, 0o640, 0o644, 0o700, 0o755])
def test_modes_taken(prefop: Prefop, named: pathlib.Path, mode: int) -> None:
    named.chmod(mode)
    assert access_key(prefop) == "AK-of-the-file"


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o660, 0o664, 0o666, 0o777])
def test_modes_refused(prefop: Prefop, named: pathlib.Path, mode: int) -> None:
    named.chmod(mode)
    assert refusal(prefop) == f"{named}: others may write it: chmod go-w"


def test_no_regular_files(prefop: Prefop, named: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A FIFO that nobody writes to keeps nobody waiting."""
    named.unlink()
    os.mkfifo(named, 0o600)
    assert refusal(prefop) == f"{named}: it is no regular file"
    named.unlink()
    named.mkdir(mode=0o700)
    assert refusal(prefop) == f"{named}: it is no regular file"
    for device in ("/dev/null", "/dev/zero", "/dev/tty"):
        monkeypatch.setenv("QINIU_CONFIG_FILE", device)
        assert refusal(prefop).startswith(f"{device}: it ")


def test_a_socket(prefop: Prefop, named: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named.unlink()
    monkeypatch.chdir(named.parent)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(named.name)
        assert "cannot be read" in refusal(prefop)


def test_the_largest_file(prefop: Prefop, named: pathlib.Path) -> None:
    write(named, DEFAULT + "#" * (2**20 - len(DEFAULT)))
    assert access_key(prefop) == "AK-of-the-file"
    write(named, DEFAULT + "#" * (2**20 - len(DEFAULT) + 1))
    assert refusal(prefop) == f"{named}: it has more than 1048576 bytes"
    os.truncate(named, 2**40)
    assert "more than 1048576 bytes" in refusal(prefop)


def in_a_child(body: Callable[[], None]) -> None:
    """Runs it where what it changes of the process does no harm."""
    child = os.fork()
    if child == 0:
        try:
            body()
            os._exit(0)
        except BaseException:
            traceback.print_exc(file=sys.stderr)
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.fixture
def open_folder(named: pathlib.Path) -> Iterator[None]:
    """Lets others in."""
    changed = []
    for folder in named.parents:
        if not os.stat(folder).st_mode & 0o001:
            changed.append((folder, os.stat(folder).st_mode))
            folder.chmod(0o711)
    yield
    for folder, mode in changed:
        folder.chmod(mode)


@as_root
def test_files_of_others(prefop: Prefop, named: pathlib.Path, open_folder: None) -> None:
    """Root's may be read, if they may be; somebody else's not."""

    def as_somebody_else(expected: str) -> None:
        def body() -> None:
            os.seteuid(OTHERS)
            if expected:
                assert expected in refusal(prefop)
            else:
                assert access_key(prefop) == "AK-of-the-file"

        in_a_child(body)

    as_somebody_else("cannot be read (errno 13)")
    named.chmod(0o644)
    as_somebody_else("")
    os.chown(named, OTHERS, -1)
    as_somebody_else("")
    assert "it belongs to somebody else" in refusal(prefop)
    named.chmod(0o600)
    as_somebody_else("")
    os.chown(named, OTHERS - 1, -1)
    named.chmod(0o644)
    as_somebody_else("it belongs to somebody else")


def test_no_descriptor_is_left(prefop: Prefop, named: pathlib.Path) -> None:
    """Nor kept by a failure; when there is none, that is the system's fault."""

    def body() -> None:
        before = os.listdir("/proc/self/fd")
        access_key(prefop)
        for text in (BROKEN, "", "#" * 2**21):
            write(named, text)
            try:
                access_key(prefop)
            except PrefopError:
                pass
        assert os.listdir("/proc/self/fd") == before
        write(named, DEFAULT)
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))
        assert f"{named}: it cannot be read (errno 24)" == refusal(prefop, "SYSTEM")

    in_a_child(body)


# What the keys do.


@pytest.mark.parametrize("half", ["access_key", "secret_key"])
@pytest.mark.parametrize("rest", ["", '{} = ""\n', "{} = ''\n", "{} = '''\n'''\n"])
def test_half_a_pair(prefop: Prefop, named: pathlib.Path, half: str, rest: str) -> None:
    missing = {"access_key": "secret_key", "secret_key": "access_key"}[half]
    write(named, f"[default]\n{half} = '{SECRET}'\n" + rest.format(missing))
    message = refusal(prefop)
    assert message.startswith(f"{named}: {missing} is missing"), message
    assert message == refusal(prefop, **KEYS)


def test_empty_values_are_unset(prefop: Prefop, named: pathlib.Path) -> None:
    for hosts in ('""', "[]", "['', '']"):
        write(named, f'[default]\naccess_key = ""\nsecret_key = ""\nbucket_url = {hosts}\n')
        assert access_key(prefop) is None


@pytest.mark.parametrize("key", ["access_key", "secret_key"])
@pytest.mark.parametrize("value", ["a b", "a\\n", "é", "\\u0000", "\\u007F", "x" * 257])
def test_keys_that_cannot_be(prefop: Prefop, named: pathlib.Path, key: str, value: str) -> None:
    other = {"access_key": "secret_key", "secret_key": "access_key"}[key]
    write(named, f'[default]\n{other} = "{SECRET}"\n{key} = "5ecret{value}"\n')
    assert refusal(prefop).startswith(f"{named}: {key} has ")


def test_an_access_key_that_is_a_pair(prefop: Prefop, named: pathlib.Path) -> None:
    write(named, f'[default]\naccess_key = "a:{SECRET}"\nsecret_key = "b:c"\n')
    assert 'access_key has a ":" in it' in refusal(prefop)


@pytest.mark.parametrize("value", ["1", "true", "1979-05-27", "[]", '["a"]', "{}", "nan", "0x5ec"])
@pytest.mark.parametrize("key", ["access_key", "secret_key", "bucket_url", "disable_secure_protocol"])
def test_wrong_types(prefop: Prefop, named: pathlib.Path, key: str, value: str) -> None:
    right = {"bucket_url": ("[]", '["a"]'), "disable_secure_protocol": ("true",)}.get(key, ())
    write(named, f"# c\n[default]\n{key} = {value}\nx = '{SECRET}'\n")
    if value in right:
        assert access_key(prefop) is None
        return
    wanted = "must be true or false" if key == "disable_secure_protocol" else "must be a string"
    assert refusal(prefop) == f"{named}, line 3: {key} {wanted}"


@pytest.mark.parametrize(
    "line", ["[default.{}]", "[[default.{}]]", "[default]\n{}.x = 1", "default.{}.x = 1"]
)
@pytest.mark.parametrize("key", ["access_key", "secret_key", "bucket_url", "disable_secure_protocol"])
@pytest.mark.parametrize("quote", ["", '"', "'"])
def test_tables_instead_of_values(
    prefop: Prefop, named: pathlib.Path, line: str, key: str, quote: str
) -> None:
    """Also where the key itself is in quotes, as a string would be."""
    write(named, "# c\n" + line.format(quote + key + quote) + f"\nx = '{SECRET}'\n")
    message = refusal(prefop)
    number = 2 + line.count("\n")
    assert message.startswith(f"{named}, line {number}: {key} must be "), message


def test_elements_of_bucket_url(prefop: Prefop, named: pathlib.Path) -> None:
    for values, line in (("'a', 1", 3), ("\n'a',\n\n[]", 6), ("'5ecret', true", 3)):
        write(named, f"# c\n[default]\nbucket_url = [{values}]\n")
        assert refusal(prefop) == f"{named}, line {line}: bucket_url must be a string"


@pytest.mark.parametrize(
    "line", ["default = 1", "default = '5ecret'", "[[default]]", "default = [{}]", "default = []"]
)
def test_a_profile_must_be_a_table(prefop: Prefop, named: pathlib.Path, line: str) -> None:
    write(named, f"# c\n{line}\n")
    assert refusal(prefop) == f"{named}, line 2: the profile must be a table"


@pytest.mark.parametrize(
    "hosts", ["'a b'", "'https://user:5ecret@a.example'", "['a', '5ecret/x']", '"a\\u0000"', "','"]
)
def test_hosts_that_cannot_be(prefop: Prefop, named: pathlib.Path, hosts: str) -> None:
    write(named, f"{DEFAULT}bucket_url = {hosts}\n")
    assert refusal(prefop).startswith(f"{named}: bucket_url must ")
    assert refusal(prefop, bucket_hosts="a.example").startswith(f"{named}: bucket_url must ")


def address(server: StubServer) -> str:
    return str(server.http_url).partition("//")[2]


@pytest.mark.parametrize("form", ["'{}'", "['{}']", "'nowhere.example, {}'", "['nowhere.example', '', '{}']"])
def test_bucket_url(
    prefop: Prefop, server: StubServer, named: pathlib.Path, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names the bucket service, unless options or QINIU_BUCKET_URL do."""
    with StubServer() as service, Gateway({}) as gateway:
        monkeypatch.setenv("http_proxy", f"http://{gateway.address}")
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        service.regions = [Region("z1", [address(server)])]
        write(
            named,
            f"[default]\naccess_key = '{ACCESS_KEY}'\nsecret_key = '{SECRET_KEY}'\n"
            f"disable_secure_protocol = true\nbucket_url = {form.format(address(service))}\n",
        )
        with prefop.client(max_attempts=1) as client:
            assert client.query("echo.1")["persistent_id"] == "echo.1"
        assert service.total == 1
        with (
            prefop.client(max_attempts=1, bucket_hosts="nowhere.example") as client,
            pytest.raises(PrefopError),
        ):
            client.query("echo.1")
        monkeypatch.setenv("QINIU_BUCKET_URL", "nowhere.example")
        with prefop.client(max_attempts=1) as client, pytest.raises(PrefopError):
            client.query("echo.1")
        assert service.total == 1


def test_disable_secure_protocol(
    prefop: Prefop, server: StubServer, named: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Means hosts without a scheme; a variable that is set decides instead."""
    keys = {"access_key": ACCESS_KEY, "secret_key": SECRET_KEY}

    def check(is_http: bool) -> None:
        # The server, which speaks no TLS, waits for more of the handshake.
        time = 0 if is_http else 100
        with prefop.client(
            api_hosts=address(server), connect_timeout_ms=time, max_attempts=1, **keys
        ) as client:
            if is_http:
                assert client.query("echo.1")["persistent_id"] == "echo.1"
            else:
                with pytest.raises(PrefopError):
                    client.query("echo.1")

    variable = "DISABLE_QINIU_SECURE_PROTOCOL"
    for value, is_http in (("true", True), ("false", False)):
        write(named, f"[default]\ndisable_secure_protocol = {value}\n")
        check(is_http)
        monkeypatch.setenv(variable, "")
        check(is_http)
        monkeypatch.setenv(variable, "no")
        check(False)
        monkeypatch.setenv(variable, "yes")
        check(True)
        monkeypatch.delenv(variable)
    write(named, "[default]\n")
    check(False)


# Secrets.


FAULTY = [
    f"[default]\nsecret_key = {SECRET}\n",
    f"[default]\nsecret_key = '{SECRET}\n",
    f'[default]\nsecret_key = "{SECRET}\\',
    f'[default]\nsecret_key = "{SECRET}" {SECRET}\n',
    f"[default]\nsecret_key '{SECRET}'\n",
    f"[default]\n{SECRET} {SECRET}\n",
    f"[default]\n'{SECRET}' = 1\n'{SECRET}' = 1\n",
    f"[{SECRET}]\n[{SECRET}]\n",
    f"[{SECRET}\n",
    f"default = {{secret_key = {SECRET}}}\n",
    f"default = ['{SECRET}']\n",
    f"[default]\nsecret_key = ['{SECRET}']\n",
    f"[default]\nsecret_key = '{SECRET} '\naccess_key = '{SECRET}\\'\n",
    f"[default]\nsecret_key = '{SECRET}'\n",
    f"[default]\nbucket_url = '{SECRET}@'\n",
    f"[default]\nbucket_url = '{SECRET}_/'\n",
    f"[default]\ndisable_secure_protocol = '{SECRET}'\n",
    f"# {SECRET}\x00\n",
    f"{SECRET}\r{SECRET}",
    f"{SECRET}\xff".encode("latin-1"),
]


@pytest.mark.parametrize("text", FAULTY, ids=range(len(FAULTY)))
def test_no_secret_is_shown(prefop: Prefop, named: pathlib.Path, text: str | bytes) -> None:
    write(named, text)
    refusal(prefop)
