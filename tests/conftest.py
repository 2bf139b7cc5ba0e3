"""What all tests share: the real data, the peers' programs, and the rule that CI skips nothing."""

from __future__ import annotations

import os
import shutil
import tarfile
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from rpkival.lab.keys import KeyRing
from rpkival.lab.rsync_daemon import RsyncDaemon
from rpkival.log import Log

ROOT = Path(__file__).parent.parent
SKIPS_FORBIDDEN = bool(os.environ.get("RPKIVAL_FORBID_SKIPS"))

# How long an example takes says more of the machine's other work than of ours; bounds on time are for benchmarks.
settings.register_profile("rpkival", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("rpkival")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where skips are forbidden (CI), a skip is a failure that tells what was missing."""
    report = yield
    if SKIPS_FORBIDDEN and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"Skipped where skips are forbidden: {report.longrepr}"
    return report


@pytest.fixture(scope="session", autouse=True)
def user_directories(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test reads or writes the cache, the state or the configuration of whoever runs it."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
            patch.setenv(name, str(home / name.lower()))
        yield


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data beside the checkout; a clone elsewhere has none and skips."""
    path = Path(os.environ.get("RPKIVAL_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not path.is_dir():
        pytest.skip(f"no real data at {path}; set RPKIVAL_TEST_DATA to where it is")
    return path


@pytest.fixture(scope="session")
def unpacked(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """`unpacked("twnic.tar.xz")`: the archive's content in a temporary directory, unpacked once a session."""
    done: dict[str, Path] = {}

    def unpack(name: str) -> Path:
        if name not in done:
            done[name] = tmp_path_factory.mktemp(Path(name).name.split(".")[0])
            with tarfile.open(shared_data / name) as archive:
                # As an attribute, since Debian's Python 3.11.2 does not know the argument.
                archive.extraction_filter = getattr(tarfile, "data_filter", None)
                archive.extractall(done[name])
        return done[name]

    return unpack


@pytest.fixture(scope="session")
def program() -> Callable[..., str]:
    """`program("bird", "/usr/sbin/bird")`: the path of an installed program, or a skip that names it."""

    def find(*names: str) -> str:
        for name in names:
            if found := shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin:/usr/lib/frr"):
                return found
        pytest.skip(f"{names[0]} is not installed")

    return find


@pytest.fixture
def faketime(program: Callable[..., str]) -> str:
    """The path of faketime, which what it left of processes that are gone does not hinder.

    One that is killed leaves a semaphore named by its number, and no later process of that number can begin.
    """
    for left in (*Path("/dev/shm").glob("faketime_shm_*"), *Path("/dev/shm").glob("sem.faketime_sem_*")):
        if not Path("/proc", left.name.rpartition("_")[2]).exists():
            with suppress(OSError):  # somebody else's, perhaps
                left.unlink()
    return program("faketime")


@pytest.fixture(scope="session")
def lab_keys() -> KeyRing:
    """RSA keys for lab trees, made once a session: authorities of one name have one key in all tests."""
    return KeyRing()


@pytest.fixture
def rsync_daemon(program: Callable[..., str]) -> Iterator[RsyncDaemon]:
    """A real rsync daemon on loopback, without modules yet."""
    program("rsync")
    with RsyncDaemon() as daemon:
        yield daemon


@pytest.fixture
def no_permission() -> Callable[[Path], AbstractContextManager[None]]:
    """`with no_permission(path):` nothing of it may be read or written, even if root runs the tests."""

    @contextmanager
    def closed(path: Path) -> Iterator[None]:
        mode, user = path.stat().st_mode, os.geteuid()
        path.chmod(0)
        if user == 0:
            os.seteuid(65534)
        try:
            yield
        finally:
            os.seteuid(user)
            path.chmod(mode)

    return closed


@pytest.fixture
def tell_no_secret(capsys: pytest.CaptureFixture[str]) -> Callable[[], None]:
    """`tell_no_secret()`: a fault is logged with its traceback on standard error, and no value of a variable."""

    def tell() -> None:
        secret = "whsec_" + "c2VjcmV0"
        try:
            int(secret[:0])
        except ValueError:
            Log("rpkival").exception("something_broke")
        told = capsys.readouterr().err
        assert "something_broke" in told
        assert "invalid literal" in told
        assert secret not in told

    return tell


@pytest.fixture
def needs_rsync(program: Callable[..., str]) -> None:
    """For tests of what happens where rsync is installed."""
    program("rsync")
