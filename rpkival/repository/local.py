"""A repository that lies on this machine, laid out `host/module/path`, as rpki-client and FORT leave it."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from functools import partial
from pathlib import Path

from rpkival.errors import UriError, UsageError
from rpkival.limits import MAX_FILE_NAME_LENGTH, MAX_OBJECT_BYTES
from rpkival.objects.place import Accepted, Place
from rpkival.repository.attempts import settled
from rpkival.repository.rsync import RsyncResult
from rpkival.repository.uri import RsyncUri

__all__ = ["LocalDirectory"]

_FILE_NAME = re.compile(rf"[A-Za-z0-9_-]{{1,{MAX_FILE_NAME_LENGTH - 4}}}\.[a-z]{{3}}")
"""As manifests list them (RFC 9286 section 4.2.2): what is so needs no further look."""


class LocalDirectory:
    """Signed objects by their rsync URI from a directory that is only read; needs no network and touches none.

    Nothing outside the directory is ever read, whatever a URI or a symbolic link in it says. A file that is there and
    cannot be given counts as missing, and `unreadable` tells why, by URI. `results` stays empty: nothing is fetched.
    One read costs about 10 µs, as the directories of a tree are resolved once, so a directory must not be replaced by
    a link while this object is in use.
    """

    def __init__(self, path: Path, *, max_object_bytes: int = MAX_OBJECT_BYTES) -> None:
        """Raises `UsageError` where `path` is not a directory that can be read."""
        if not path.is_dir():
            raise UsageError(f"{path} is not a directory; give one laid out as host/module/path.")
        if not os.access(path, os.R_OK | os.X_OK):
            raise UsageError(f"The directory {path} cannot be read; check its permissions.")
        self.path = path.resolve()
        self._max_object_bytes = max_object_bytes
        self._directories: dict[str, str | None] = {}
        self._requests: dict[str, Future[str | None]] = {}
        self._place: tuple[str, str | None] = ("", None)  # the one that was read last, and its directory
        self._manifest = ("", b"")  # the one that was read last: it is asked for again at once
        self.unreadable: dict[str, str] = {}
        self.results: list[RsyncResult] = []

    accepts = False
    """One state of one directory has no past."""

    def trust_anchor(self, uri: str) -> bytes | None:
        """The trust anchor certificate at `uri`, if there is one.

        rpki-client keeps those that it has fetched, also by https, as `ta/LOCATOR/NAME`, where LOCATOR is its own name
        of it; a certificate of another locator does not have the key, and is refused for it.
        """
        found = self.read_uri(uri) if uri.lower().startswith("rsync:") else None
        name = uri.rpartition("/")[2]
        if found is None and _FILE_NAME.fullmatch(name):
            for directory in sorted(each.name for each in (self.path / "ta").glob("*")):
                found = found or self._told(uri, partial(self._read, f"ta/{directory}", name))
        return found

    def accepted_trust_anchor(self, uri: str) -> bytes | None:  # noqa: ARG002
        """Nothing is kept."""
        return None

    def accept_trust_anchor(self, uri: str, certificate: bytes) -> None:
        """Nothing is written."""

    def request(self, place: Place) -> Future[str | None]:
        """What lies in the directory is all there is; an error where nothing of the place's module does."""
        module = "/".join(place.repository.split("/", 4)[:4])
        if module not in self._requests:
            self._requests[module] = settled(self._problem(place.repository))
        return self._requests[module]

    def manifest(self, place: Place) -> bytes | None:
        """SHA-256 of the manifest."""
        data = self.read_uri(place.manifest)
        if data is None:
            return None
        self._manifest = place.manifest, data
        return hashlib.sha256(data).digest()

    def accepted(self, place: Place) -> Accepted | None:  # noqa: ARG002 - one state of one directory has no past
        """Nothing is kept."""
        return None

    def manifests(self, place: Place) -> Mapping[str, bytes]:  # noqa: ARG002
        """Nothing is at hand: each is read where it is asked for."""
        return {}

    def revision(self, place: Place) -> bytes | None:  # noqa: ARG002
        """It is not known what has changed."""
        return None

    def acceptances(self) -> int:
        """Nothing is kept."""
        return 0

    def accept(self, place: Place, accepted: Accepted, digests: bytes) -> None:
        """Nothing is kept."""

    def read(self, place: Place, name: str, sha256: bytes) -> bytes | None:  # noqa: ARG002 - whoever reads it compares
        """The object of this name, or None: it is `unreadable`, or simply not there."""
        uri = place.repository + name
        if self._manifest[0] == uri:
            return self._manifest[1]
        if place.repository != self._place[0]:
            self._place = place.repository, self._directory(place.repository)
        directory = self._place[1]
        if directory is None or not _FILE_NAME.fullmatch(name):
            return self.read_uri(uri)
        return self._told(uri, lambda: self._read(directory, name))

    def _problem(self, uri: str) -> str | None:
        try:
            module = RsyncUri.parse(uri, allow_dubious_hosts=True).module_uri
        except UriError as error:
            return str(error)
        if (self.path / module.removeprefix("rsync://")).is_dir():
            return None
        return f"{self.path} has nothing of {module}"

    def read_uri(self, uri: str) -> bytes | None:
        """The object at `uri`, or None: it is `unreadable`, or simply not there."""
        try:
            parsed = RsyncUri.parse(uri, allow_dubious_hosts=True)
        except UriError as error:
            self.unreadable[uri] = str(error)
            return None
        return self._told(uri, lambda: self._read(parsed.directory, parsed.file_name))

    def _directory(self, repository: str) -> str | None:
        """The directory of a place in the tree, None where its URI is not beyond doubt."""
        try:
            return RsyncUri.parse(repository, allow_dubious_hosts=True).directory
        except UriError:
            return None

    def _told(self, uri: str, read: Callable[[], bytes]) -> bytes | None:
        try:
            return read()
        except FileNotFoundError:
            return None
        except OSError as error:
            self.unreadable[uri] = f"{uri} cannot be read: {error.strerror}."
            return None

    def _read(self, place: str, file_name: str) -> bytes:
        directory = self._resolved(place)
        if directory is None:
            raise OSError(errno.EACCES, "its directory is a link that leads out of the repository directory")
        # Neither follow links nor wait: a link or a pipe in place of an object must not surprise anybody.
        name = f"{directory}/{file_name}"
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            descriptor = os.open(name, flags)
        except OSError as error:
            if error.errno != errno.ELOOP:
                raise
            descriptor = os.open(self._followed(name), flags)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise OSError(errno.EINVAL, "it is not a regular file")
            if status.st_size > self._max_object_bytes:
                raise OSError(errno.EFBIG, f"it has {status.st_size} bytes, {self._max_object_bytes} are allowed")
            return os.read(descriptor, status.st_size)
        finally:
            os.close(descriptor)

    def _resolved(self, directory: str) -> str | None:
        """`directory` of the tree as a real path, None where links lead out of the tree."""
        if directory not in self._directories:
            real = os.path.realpath(self.path / directory)
            self._directories[directory] = real if Path(real).is_relative_to(self.path) else None
        return self._directories[directory]

    def _followed(self, name: str) -> str:
        real = os.path.realpath(name)
        if not Path(real).is_relative_to(self.path):
            raise OSError(errno.EACCES, "it is a link that leads out of the repository directory")
        return real
