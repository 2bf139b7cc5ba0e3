"""The entry point: collects the verbs, turns errors into one sentence and an exit code."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Annotated

import typer

from rpkival import __version__
from rpkival.errors import RpkivalError

__all__ = ["app", "main"]

# numpy's linear algebra starts a thread for each core as it is imported. Nothing here multiplies matrices, and without
# them a verb starts 50 ms sooner.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

VERBS = ("up", "validate", "check", "classify", "rtr", "watch", "alerts", "inspect")
"""Modules of this package, in the order of `--help`; each has `register(app)`."""

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


for _verb in VERBS:
    import_module(f"rpkival.cli.{_verb}").register(app)


def main() -> None:
    """Run the command line; never returns and never shows a traceback unless RPKIVAL_DEBUG is set."""
    try:
        app()
    except RpkivalError as error:
        _fail(str(error), error.exit_code)
    except BrokenPipeError:
        # The reader of our output went away, as `| head` does. Nothing is left to say it to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        if os.environ.get("RPKIVAL_DEBUG"):
            raise
        _fail(
            f"this is a fault of rpkival itself ({type(error).__name__}: {error}); "
            "run it again with RPKIVAL_DEBUG=1 and report what it prints",
            4,
        )


def _fail(sentence: str, code: int) -> None:
    typer.echo(f"rpkival: {sentence}", err=True)
    sys.exit(code)
