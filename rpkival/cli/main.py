"""The entry point: collects the verbs, turns errors into one sentence and an exit code."""

from __future__ import annotations

import errno
import inspect
import os
import sys
from importlib import import_module
from typing import Annotated, NoReturn

import typer

from rpkival import __version__
from rpkival.errors import RpkivalError, UsageError

__all__ = ["app", "main"]

# numpy's linear algebra starts a thread for each core as it is imported. Nothing here multiplies matrices, and without
# them a verb starts 50 ms sooner; on many cores they would take most of the addresses that a worker may have.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

VERBS = (
    "up",
    "validate",
    "check",
    "classify",
    "rtr",
    "router",
    "watch",
    "alerts",
    "slurm",
    "guard",
    "changes",
    "inspect",
    "tal",
    "rsc",
    "lab",
)
"""Modules of this package, in the order of `--help`; each has `register(app)`."""

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
"""How the system says that a file can take no more."""

app = typer.Typer(
    name="rpkival",
    help="Validate RPKI, feed routers, classify BGP announcements, and hear of hijacks.",
    epilog="Start with: rpkival up --lab",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"rpkival {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    pass


def _join_lines(verbs: typer.Typer) -> None:
    """A line of a docstring is no line of a terminal: typer would break the help at both."""
    for verb in verbs.registered_commands:
        paragraphs = (inspect.getdoc(verb.callback) or "").split("\n\n")
        verb.help = "\n\n".join(" ".join(paragraph.split("\n")) for paragraph in paragraphs)
    for group in verbs.registered_groups:
        if group.typer_instance is not None:
            _join_lines(group.typer_instance)


for _verb in VERBS:
    import_module(f"rpkival.cli.{_verb}").register(app)
_join_lines(app)


def main() -> None:
    """Run the command line; never returns and never shows a traceback unless RPKIVAL_DEBUG is set."""
    try:
        app()
    except SystemExit as ended:
        # typer ends with 1 where it meets a broken pipe before we do.
        if isinstance(ended.__context__, BrokenPipeError):
            _end_of_pipe()
        raise
    except RpkivalError as error:
        _give_up_stdout()
        _fail(str(error), error.exit_code)
    except BrokenPipeError:
        _end_of_pipe()
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        # Whoever writes a file tells its name, so what is left is what was printed.
        if isinstance(error, OSError) and error.errno in _FULL and error.filename is None:
            _give_up_stdout()
            _fail(f"Standard output cannot be written: {error.strerror}.", UsageError.exit_code)
        if os.environ.get("RPKIVAL_DEBUG"):
            raise
        _fail(
            f"this is a fault of rpkival itself ({type(error).__name__}: {error}); "
            "run it again with RPKIVAL_DEBUG=1 and report what it prints",
            4,
        )


def _end_of_pipe() -> NoReturn:
    """The reader of our output went away, as `| head` does. Nothing is left to say it to."""
    _give_up_stdout()
    sys.exit(0)


def _give_up_stdout() -> None:
    """Forget what could not be written, or the interpreter would try once more as it ends, and complain."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(sentence: str, code: int) -> NoReturn:
    typer.echo(f"rpkival: {sentence}", err=True)
    sys.exit(code)
