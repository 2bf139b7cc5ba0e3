"""Every error this project raises on purpose.

    RpkivalError                 never raised itself
    ├── UsageError               the request makes no sense: an option, a configuration, a port in use   (exit 2)
    ├── InputError               a value, a file or a stream from outside cannot be understood           (exit 3)
    │   ├── PrefixError          text that is not an IP prefix, or has host bits set
    │   ├── AsnError             text that is not an AS number of 32 bits
    │   ├── UriError             text that is not a URI of a repository, or one that must not be followed
    │   ├── FormatError          a VRP, MRT, JSON or other file that breaks its format
    │   ├── ObjectError          a signed object that breaks its RFC; carries the section
    │   └── ProtocolError        a peer that breaks its protocol (RTR, BGP, RIS Live)
    │       └── BgpError         carries the code and subcode of the NOTIFICATION that answers it
    ├── LimitError               a bound of `rpkival.limits` was passed                                  (exit 3)
    ├── FetchError               a repository, a URL or a feed did not answer, or not completely         (exit 3)
    └── StateError               our own database or cache directory cannot be read or written           (exit 4)
        └── AccessError          it belongs to another user                                              (exit 2)

The message is always one sentence that a stranger understands and, where there is one, says what to do next.
Each class names the exit code of the command line. A fault of ours is any other exception and exits with 4.
"""


class RpkivalError(Exception):
    """Superclass of all errors of this project; never raised directly."""

    exit_code = 4


class UsageError(RpkivalError):
    """What was asked for cannot be done as asked."""

    exit_code = 2


class InputError(RpkivalError):
    """Something from outside cannot be understood."""

    exit_code = 3


class PrefixError(InputError):
    """Text or columns that are not IP prefixes; `row` is the first bad one (0-based)."""

    def __init__(self, message: str, row: int = 0) -> None:
        super().__init__(message)
        self.row = row


class AsnError(InputError):
    """Text that is not an AS number between 0 and 4294967295."""


class UriError(InputError):
    """Text that is not a URI of a repository, or one that must not be followed."""


class FormatError(InputError):
    """A file that breaks its format."""


class ObjectError(InputError):
    """A signed object that breaks its specification."""

    def __init__(self, section: str, message: str) -> None:
        super().__init__(f"{message} ({section})")
        self.section = section
        self.sentence = message


class MissingError(ObjectError):
    """An object that must be there and is not."""


class PrematureError(ObjectError):
    """An object whose time has not come yet."""


class StaleError(ObjectError):
    """An object whose time is over, and that was to be replaced before."""


class ProtocolError(InputError):
    """A peer that does not speak its protocol."""


class BgpError(ProtocolError):
    """A BGP message that breaks RFC 4271; `code`, `subcode`, `data` are those of the NOTIFICATION that answers it."""

    def __init__(self, code: int, subcode: int, message: str, data: bytes = b"") -> None:
        super().__init__(message)
        self.code = code
        self.subcode = subcode
        self.data = data


class LimitError(RpkivalError):
    """A bound of `rpkival.limits` was passed; costs the object, file or client that passed it and nothing else."""

    exit_code = 3


class FetchError(RpkivalError):
    """A remote party did not give what it was asked for; `status` is that of its HTTP answer, where that says so."""

    exit_code = 3

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class StateError(RpkivalError):
    """Our own state on disk cannot be read or written."""

    exit_code = 4


class AccessError(StateError):
    """Our own state belongs to another user: nothing is damaged, and who runs this can mend it."""

    exit_code = 2
