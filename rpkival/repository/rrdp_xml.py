"""The three files of RRDP (RFC 8182 section 3.5), read in a stream: no entity, nothing foreign, constant memory."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NoReturn
from xml.parsers import expat

from rpkival.errors import FormatError, LimitError, UriError
from rpkival.limits import (
    MAX_OBJECT_BYTES,
    MAX_RRDP_LISTED_DELTAS,
    MAX_RRDP_NAMESPACES,
    MAX_RRDP_SERIAL,
    MAX_RRDP_TOKEN_BYTES,
)
from rpkival.repository.https_uri import HttpsUri

__all__ = ["Link", "Notification", "Publish", "Withdraw", "read_delta", "read_notification", "read_snapshot"]

_NAMESPACE = "http://www.ripe.net/rpki/rrdp"
_SESSION = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.IGNORECASE)
_SERIAL = re.compile(r"[1-9][0-9]{0,19}")
_HASH = re.compile(r"[0-9A-Fa-f]{64}")
_BLANKS = str.maketrans("", "", " \t\r\n")


@dataclass(frozen=True, slots=True)
class Link:
    """Where a snapshot or a delta is, and its SHA-256."""

    uri: HttpsUri
    sha256: bytes


@dataclass(frozen=True, slots=True)
class Notification:
    """A notification file (RFC 8182 section 3.5.1); `deltas` by serial."""

    session: str
    serial: int
    snapshot: Link
    deltas: Mapping[int, Link]

    def since(self, serial: int) -> list[tuple[int, Link]] | None:
        """The deltas from `serial` (less than ours) to ours, oldest first; None where one is missing."""
        if self.serial - serial > len(self.deltas):
            return None
        wanted = range(serial + 1, self.serial + 1)
        if any(each not in self.deltas for each in wanted):
            return None
        return [(each, self.deltas[each]) for each in wanted]


@dataclass(frozen=True, slots=True)
class Publish:
    """An object; `replaces` is the SHA-256 of what it takes the place of, None for a new one."""

    uri: str
    content: bytes
    replaces: bytes | None = None


@dataclass(frozen=True, slots=True)
class Withdraw:
    """An object that goes, and its SHA-256."""

    uri: str
    sha256: bytes


def read_notification(name: str, content: bytes, *, allow_dubious_hosts: bool = False) -> Notification:
    """Read a notification file; `name` is told in errors. Raises `FormatError` and `LimitError`."""
    reader = _NotificationReader(name, allow_dubious_hosts)
    reader.feed(content)
    reader.end()
    return reader.result()


def read_snapshot(name: str, chunks: Iterable[bytes], session: str, serial: int) -> Iterator[Publish]:
    """The objects of a snapshot that must be of this session and serial (RFC 8182 section 3.5.2)."""
    for event in _Changes(name, "snapshot", session, serial).read(chunks):
        assert isinstance(event, Publish)
        yield event


def read_delta(name: str, chunks: Iterable[bytes], session: str, serial: int) -> Iterator[Publish | Withdraw]:
    """The changes of a delta that must be of this session and serial (RFC 8182 section 3.5.3)."""
    return _Changes(name, "delta", session, serial).read(chunks)


class _Base64:
    """Text to octets, piece by piece, so that a large object is in memory once."""

    def __init__(self) -> None:
        self.octets = bytearray()
        self._rest = ""
        self._ended = False

    def feed(self, text: str) -> None:
        """Raises `ValueError` for what is no base64, `LimitError` for too much."""
        text = self._rest + text.translate(_BLANKS)
        whole = len(text) // 4 * 4
        self._rest = text[whole:]
        if not whole:
            return
        if self._ended:
            raise ValueError("it goes on after its padding")
        self._ended = text[whole - 1] == "="
        self.octets += binascii.a2b_base64(text[:whole], strict_mode=True)
        if len(self.octets) > MAX_OBJECT_BYTES:
            raise LimitError(f"it has more than {MAX_OBJECT_BYTES} bytes")

    def end(self) -> bytes:
        """All of it. Raises `ValueError`."""
        if self._rest:
            raise ValueError("its length is not a multiple of four")
        return bytes(self.octets)


class _Reader:
    """What all three files have in common; subclasses say what an element below the root means."""

    def __init__(self, name: str, root: str) -> None:
        self._name = name
        self._root = root
        self._depth = 0
        self._fed = 0
        self._namespaces = 0
        self.session = ""
        self.serial = 0
        self._parser = parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.buffer_size = 64 * 1024
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.XmlDeclHandler = self._declaration
        parser.StartNamespaceDeclHandler = self._namespace
        parser.ProcessingInstructionHandler = self._instruction
        # The root of every entity, and so of billion laughs and of XXE.
        parser.StartDoctypeDeclHandler = self._doctype

    def feed(self, chunk: bytes) -> None:
        """Raises `FormatError` and `LimitError`."""
        self._fed += len(chunk)
        self._parse(chunk, final=False)
        if self._fed - self._parser.CurrentByteIndex > MAX_RRDP_TOKEN_BYTES + len(chunk):
            raise LimitError(f"{self._name} has a tag or comment of more than {MAX_RRDP_TOKEN_BYTES} bytes.")

    def end(self) -> None:
        """There is no more. Raises `FormatError`."""
        self._parse(b"", final=True)

    def fail(self, told: str) -> NoReturn:
        """Refuse the file."""
        raise FormatError(f"{self._name}, line {self._parser.CurrentLineNumber}: {told}.")

    def child(self, name: str, attributes: dict[str, str]) -> None:
        """An element below the root begins."""
        raise NotImplementedError

    def text(self, text: str) -> None:
        """Text in it; blanks are all that most may have."""
        if not text.isspace():
            self.fail("there is text where none belongs")

    def child_end(self) -> None:
        """It ends."""

    def attributes(self, attributes: dict[str, str], required: set[str], optional: set[str] | None = None) -> None:
        """Check the names of attributes."""
        given = set(attributes)
        if missing := required - given:
            self.fail(f"the attribute {min(missing)} is missing")
        if foreign := given - required - (optional or set()):
            self.fail(f"the attribute {min(foreign)[:40]!r} does not belong there")

    def number(self, text: str) -> int:
        """A serial number."""
        if not _SERIAL.fullmatch(text) or int(text) > MAX_RRDP_SERIAL:
            self.fail(f"{text[:40]!r} is no serial number")
        return int(text)

    def hash(self, text: str) -> bytes:
        """A SHA-256."""
        if not _HASH.fullmatch(text):
            self.fail(f"{text[:80]!r} is no SHA-256 hash")
        return bytes.fromhex(text)

    def _parse(self, chunk: bytes, *, final: bool) -> None:
        try:
            self._parser.Parse(chunk, final)
        except expat.ExpatError as error:
            told = expat.errors.messages.get(error.code, str(error))
            raise FormatError(f"{self._name}, line {error.lineno}: the XML is broken: {told}.") from error

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        namespace, _, element = name.rpartition(" ")
        if namespace != _NAMESPACE:
            self.fail(f"the element {element[:40]!r} is not of the namespace {_NAMESPACE}")
        if self._depth > 2:
            self.fail(f"the element {element[:40]!r} is in another where none belongs")
        if self._depth == 2:
            self.child(element, attributes)
            return
        if element != self._root:
            self.fail(f"it is a {element[:40]!r}, not a {self._root}")
        self.attributes(attributes, {"version", "session_id", "serial"})
        if attributes["version"] != "1":
            self.fail(f"its version is {attributes['version'][:40]!r}, not 1")
        if not _SESSION.fullmatch(attributes["session_id"]):
            self.fail(f"its session {attributes['session_id'][:80]!r} is no UUID of version 4")
        self.session, self.serial = attributes["session_id"].lower(), self.number(attributes["serial"])
        self.root()

    def root(self) -> None:
        """The root's attributes are known."""

    def _end(self, _name: str) -> None:
        if self._depth == 2:
            self.child_end()
        self._depth -= 1

    def _text(self, text: str) -> None:
        if self._depth == 2:
            self.text(text)
        elif not text.isspace():
            self.fail("there is text where none belongs")

    def _declaration(self, _version: str, encoding: str | None, _standalone: int) -> None:
        if encoding is not None and encoding.lower() not in {"us-ascii", "utf-8"}:
            self.fail(f"the encoding {encoding[:40]!r} is neither US-ASCII nor UTF-8")

    def _namespace(self, _prefix: str | None, uri: str) -> None:
        self._namespaces += 1
        if uri != _NAMESPACE or self._namespaces > MAX_RRDP_NAMESPACES:
            self.fail("it declares other namespaces than RRDP's, or its own too often")

    def _instruction(self, _target: str, _data: str) -> None:
        self.fail("it has a processing instruction")

    def _doctype(self, *_of_it: object) -> None:
        self.fail("it has a DOCTYPE, which would let it declare entities")


class _NotificationReader(_Reader):
    def __init__(self, name: str, allow_dubious_hosts: bool) -> None:
        super().__init__(name, "notification")
        self._allow_dubious_hosts = allow_dubious_hosts
        self._snapshot: Link | None = None
        self._deltas: dict[int, Link] = {}

    def child(self, name: str, attributes: dict[str, str]) -> None:
        if name == "snapshot" and self._snapshot is None:
            self.attributes(attributes, {"uri", "hash"})
            self._snapshot = self._link(attributes)
        elif name == "delta":
            self.attributes(attributes, {"serial", "uri", "hash"})
            serial = self.number(attributes["serial"])
            if serial in self._deltas:
                self.fail(f"it lists the delta {serial} twice")
            if len(self._deltas) >= MAX_RRDP_LISTED_DELTAS:
                raise LimitError(f"{self._name} lists more than {MAX_RRDP_LISTED_DELTAS} deltas.")
            self._deltas[serial] = self._link(attributes)
        else:
            self.fail(f"the element {name[:40]!r} does not belong there, or not twice")

    def result(self) -> Notification:
        if self._snapshot is None:
            self.fail("it names no snapshot")
        return Notification(self.session, self.serial, self._snapshot, self._deltas)

    def _link(self, attributes: dict[str, str]) -> Link:
        try:
            uri = HttpsUri.parse(attributes["uri"], allow_dubious_hosts=self._allow_dubious_hosts)
        except UriError as error:
            raise FormatError(f"{self._name}: {error}") from error
        return Link(uri, self.hash(attributes["hash"]))


class _Changes(_Reader):
    def __init__(self, name: str, root: str, session: str, serial: int) -> None:
        super().__init__(name, root)
        self._expected = session.lower(), serial
        self._events: list[Publish | Withdraw] = []
        self._element = ""
        self._uri = ""
        self._hash: bytes | None = None
        self._content = _Base64()

    def read(self, chunks: Iterable[bytes]) -> Iterator[Publish | Withdraw]:
        for chunk in chunks:
            self.feed(chunk)
            yield from self._events
            self._events.clear()
        self.end()
        yield from self._events

    def root(self) -> None:
        if (self.session, self.serial) != self._expected:
            self.fail(f"it is serial {self.serial} of session {self.session}, not as its notification says")

    def child(self, name: str, attributes: dict[str, str]) -> None:
        if name == "publish":
            self.attributes(attributes, {"uri"}, {"hash"} if self._root == "delta" else set())
        elif name == "withdraw" and self._root == "delta":
            self.attributes(attributes, {"uri", "hash"})
        else:
            self.fail(f"the element {name[:40]!r} does not belong there")
        self._element, self._uri = name, attributes["uri"]
        self._hash = self.hash(attributes["hash"]) if "hash" in attributes else None
        self._content = _Base64()

    def text(self, text: str) -> None:
        if self._element != "publish":
            super().text(text)
            return
        try:
            self._content.feed(text)
        except LimitError as error:
            raise LimitError(f"{self._name}: {self._uri[:200]!r} cannot be taken: {error}.") from error
        except ValueError as error:
            self._no_base64(error)

    def child_end(self) -> None:
        if self._element == "withdraw":
            assert self._hash is not None
            self._events.append(Withdraw(self._uri, self._hash))
            return
        try:
            content = self._content.end()
        except ValueError as error:
            self._no_base64(error)
        self._events.append(Publish(self._uri, content, self._hash))

    def _no_base64(self, error: ValueError) -> NoReturn:
        self.fail(f"the content of {self._uri[:200]!r} is no base64: {error}")
