"""`rpkival lab build`: signed repositories to try validators on."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Protocol

import typer

from rpkival.cli.options import QuietOption, parse_time
from rpkival.errors import UsageError

if TYPE_CHECKING:
    from rpkival.lab.build import Built, Progress
    from rpkival.lab.plan import Plan

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the verb."""
    lab = typer.Typer(
        name="lab",
        help="Signed repositories to try validators on, of any size.",
        epilog="Example: rpkival lab build lab",
        no_args_is_help=True,
    )
    lab.callback()(_root)
    lab.command()(build)
    lab.command()(attacks)
    app.add_typer(lab)


def _root() -> None:
    pass


def build(
    context: typer.Context,
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Where to; new or empty, unless --change.")],
    cas: Annotated[int, typer.Option("--cas", metavar="N", help="CAs below the trust anchor.")] = 60,
    roas: Annotated[int, typer.Option("--roas", metavar="N", help="ROAs, of one to five prefixes each.")] = 120,
    aspas: Annotated[int, typer.Option("--aspas", metavar="N", help="ASPAs.")] = 20,
    router_keys: Annotated[int, typer.Option("--router-keys", metavar="N", help="BGPsec router certificates.")] = 10,
    depth: Annotated[int, typer.Option("--depth", metavar="N", help="Levels of CAs below the trust anchor.")] = 3,
    hosts: Annotated[int, typer.Option("--hosts", metavar="N", help="Hosts that the CAs publish on.")] = 3,
    seed: Annotated[
        int, typer.Option("--seed", metavar="N", help="The same seed makes the same tree, with other keys.")
    ] = 1,
    days: Annotated[int, typer.Option("--days", metavar="N", min=1, max=10_000, help="How long all of it holds.")] = 30,
    change: Annotated[
        float | None,
        typer.Option(
            "--change", metavar="PERCENT", help="Publish a new version of so many of the CAs that are built there."
        ),
    ] = None,
    hostile: Annotated[
        list[str] | None,
        typer.Option(
            "--hostile",
            metavar="ATTACK",
            help="Instead, one CA that behaves, and beside it one for each attack; repeatable; all for all.",
        ),
    ] = None,
    serve: Annotated[
        bool,
        typer.Option("--serve", help="By rsync and RRDP on loopback, until the input ends."),
    ] = False,
    rrdp: Annotated[
        int, typer.Option("--rrdp", metavar="N", help="With --serve: how many of the hosts publish by RRDP too.")
    ] = 1,
    at: Annotated[
        str | None,
        typer.Option(
            "--at", metavar="TIME", help="Sign as at this moment (RFC 3339, as 2026-03-16T08:00:00Z). (default: now)"
        ),
    ] = None,
    workers: Annotated[
        int, typer.Option("--workers", metavar="N", min=1, max=64, help="Sign in so many processes.")
    ] = 2,
    quiet: QuietOption = False,
) -> None:
    """Sign a repository with every kind of object into DIR, with its locator and what is to be found in it.

    The objects lie in DIR/rsync as host/module/path, as validators keep them, so that no server is needed:

    rpkival validate --tal DIR/lab.tal --repository-dir DIR/rsync --offline

    With --serve hosts are ports of loopback, and each line of input publishes a new version of a tenth of the CAs.

    Example: rpkival lab build lab

    Example: rpkival lab build world --cas 50000 --roas 350000 --depth 4 --hosts 50

    Example: rpkival lab build world --change 1

    Example: rpkival lab build lab --serve --hosts 4 --rrdp 2

    Example: rpkival lab build hostile --hostile nul-roa --hostile drip-feed --serve
    """
    import time

    from rpkival.lab import build as lab
    from rpkival.lab.plan import Plan

    moment = int(time.time()) if at is None else parse_time(at)
    if hostile:
        _refuse_beside(context, "--hostile", bearable=("serve", "at", "quiet"))
        _attack(directory, hostile, moment, serve=serve, quiet=quiet)
        return
    if change is not None:
        if serve:
            raise UsageError("--serve builds anew, for servers of its own; give it a new directory and no --change.")
        _refuse_beside(context, "--change", bearable=("workers", "quiet"))
        _sign(directory, partial(lab.change, directory, change, workers=workers), quiet=quiet)
        return
    plan = Plan(cas, roas, aspas, router_keys, depth, hosts, seed)
    if serve:
        _serve(directory, plan, rrdp, moment, days=days, workers=workers, quiet=quiet)
        return
    _sign(directory, partial(lab.build, directory, plan, at=moment, days=days, workers=workers), quiet=quiet)


def _refuse_beside(context: typer.Context, option: str, bearable: Iterable[str]) -> None:
    """What would be ignored beside `option` is not what somebody meant who gave it."""
    for parameter in context.command.params:
        name = parameter.name or ""
        source = context.get_parameter_source(name)
        if (
            source
            and source.name == "COMMANDLINE"
            and parameter.opts[0] not in (option, "directory")
            and name not in bearable
        ):
            raise UsageError(f"{parameter.opts[0]} does not go with {option}; leave one of them out.")


def attacks() -> None:
    """List the attacks that `rpkival lab build --hostile` knows; docs/hostile.md has our answers to them.

    Example: rpkival lab attacks
    """
    from rpkival.lab.hostile.table import CASES

    width = max(map(len, CASES))
    for case in CASES.values():
        typer.echo(f"{case.name:{width}}  {case.attack} ({', '.join(case.sources)})")


class _Sign(Protocol):
    def __call__(self, *, on_progress: Progress) -> Built: ...


def _sign(directory: Path, sign: _Sign, *, quiet: bool) -> None:
    """With a bar while it goes on, and what came of it at the end."""
    import time

    from rpkival.cli.terminal import counted, note, progress

    started = time.monotonic()
    with progress(quiet=quiet) as bars:
        bar = bars.add_task("publication points", total=None)
        built = sign(on_progress=lambda done, of: bars.update(bar, completed=done, total=of))
    if not quiet:
        points = counted(built.points, "publication point", "publication points")
        files = counted(built.files, "file", "files")
        note(
            f"{points} with {files} signed in {time.monotonic() - started:.1f} seconds; "
            f"the whole has {counted(built.vrps, 'VRP', 'VRPs')}, listed in {directory / 'expected.csv'}."
        )


def _serve(directory: Path, plan: Plan, rrdp: int, at: int, *, days: int, workers: int, quiet: bool) -> None:
    """Build on servers; a new version for each line of input."""
    import sys

    from rpkival.cli.terminal import note
    from rpkival.lab.served_build import ServedBuild

    with ServedBuild(directory, plan, rrdp=rrdp) as served:
        _sign(directory, partial(served.build, at=at, days=days, workers=workers), quiet=quiet)
        if not quiet:
            trusting = f", who must trust {served.ca_file}" if served.servers else ""
            note(f"Served until the input ends, to validators of {served.tal}{trusting}.")
            note("Each line of input publishes anew.")
        for _ in sys.stdin:
            _sign(directory, partial(served.change, 10), quiet=quiet)


def _attack(directory: Path, names: list[str], at: int, *, serve: bool, quiet: bool) -> None:
    """Sign what is hostile; served, anew for each line of input."""
    import sys

    from rpkival.cli.terminal import counted, note
    from rpkival.lab.hostile.build import build_attacks, cases_named, serve_attacks

    cases = cases_named(names, served=serve)
    told = (
        f"{counted(len(cases), 'attack', 'attacks')} in {directory}; a validator of {directory / 'lab.tal'} must find "
        f"{directory / 'expected.csv'}"
    )
    if not serve:
        build_attacks(directory, cases, at=at)
        if not quiet:
            note(f"{told}.")
        return
    with serve_attacks(directory, cases, at=at) as stage:
        if not quiet:
            trusting = f", and trust {directory / 'ca.pem'}" if (directory / "ca.pem").exists() else ""
            note(f"{told}{trusting}. Each line of input publishes anew; its end ends.")
        for _ in sys.stdin:
            stage.publish()
            if not quiet:
                note("Published anew.")
