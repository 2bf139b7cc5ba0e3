"""`rpkival validate`: fetch, validate, print the payload, once."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rpkival.cli.options import (
    AtOption,
    DataDirOption,
    ExceptionsOption,
    OutputOption,
    QuietOption,
    VerboseOption,
    parse_time,
)
from rpkival.errors import InputError, LimitError, UsageError

if TYPE_CHECKING:
    from rpkival.objects.tal import Tal
    from rpkival.payload.selection import Selection
    from rpkival.repository.local import LocalDirectory
    from rpkival.repository.stored_source import StoredSource
    from rpkival.validation.current_manifests import CurrentManifests
    from rpkival.validation.report import ValidationRun
    from rpkival.validation.walk import Settled

__all__ = ["register"]

_CCR = "ccr"
_OPENMETRICS = "openmetrics"
"""The formats that tell of the run, and not only of its payload."""


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    def validate(
        tal: Annotated[
            list[Path] | None,
            typer.Option(
                "--tal",
                metavar="FILE",
                help="A trust anchor locator; repeatable. (default: those of the five registries)",
            ),
        ] = None,
        constraints: Annotated[
            list[Path] | None,
            typer.Option(
                "--constraints",
                metavar="FILE",
                help="What a trust anchor may certify, in rpki-client's format: NAME.constraints is for NAME.tal; "
                "repeatable. One beside its locator needs no mention.",
            ),
        ] = None,
        reconsidered: Annotated[
            bool,
            typer.Option(
                "--reconsidered",
                help="Take certificates of RFC 8360, which have of what they claim what their issuers have.",
            ),
        ] = False,
        repository_dir: Annotated[
            Path | None,
            typer.Option(
                "--repository-dir",
                metavar="DIR",
                help="Where the store of what was fetched is, or, with --offline, a tree laid out host/module/path. "
                "(default: repository in the data directory)",
            ),
        ] = None,
        offline: Annotated[bool, typer.Option("--offline", help="Fetch nothing; judge what there is.")] = False,
        no_rsync: Annotated[bool, typer.Option("--no-rsync", help="Fetch nothing by rsync.")] = False,
        no_rrdp: Annotated[
            bool, typer.Option("--no-rrdp", help="Fetch nothing by RRDP, and no trust anchor by HTTPS.")
        ] = False,
        rrdp_fallback: Annotated[
            str,
            typer.Option(
                "--rrdp-fallback",
                metavar="WHEN",
                help="When rsync follows a failure of RRDP: never, new (RRDP never succeeded) or stale (also: not for "
                "up to an hour).",
            ),
        ] = "stale",
        ca_file: Annotated[
            Path | None,
            typer.Option("--ca-file", metavar="FILE", help="Certificates to trust for HTTPS besides the system's."),
        ] = None,
        allow_dubious_hosts: Annotated[
            bool,
            typer.Option(
                "--allow-dubious-hosts", help="Also fetch from IP addresses, ports and local names; for labs."
            ),
        ] = False,
        at: AtOption = None,
        listing: Annotated[
            str,
            typer.Option(
                "--format", metavar="FORMAT", help="csv, json, slurm, openbgpd, bird, ...; see docs/formats.md."
            ),
        ] = "csv",
        select_asn: Annotated[
            list[str] | None,
            typer.Option("--select-asn", "-a", metavar="ASN", help="Print only what this AS originates; repeatable."),
        ] = None,
        select_prefix: Annotated[
            list[str] | None,
            typer.Option(
                "--select-prefix", "-p", metavar="PREFIX", help="Print only VRPs that cover this prefix; repeatable."
            ),
        ] = None,
        more_specifics: Annotated[
            bool, typer.Option("--more-specifics", "-m", help="With --select-prefix: also VRPs within it.")
        ] = False,
        no_route_origins: Annotated[bool, typer.Option("--no-route-origins", help="Print no VRPs.")] = False,
        no_router_keys: Annotated[bool, typer.Option("--no-router-keys", help="Print no router keys.")] = False,
        no_aspas: Annotated[bool, typer.Option("--no-aspas", help="Print no ASPAs.")] = False,
        exceptions: ExceptionsOption = None,
        output: OutputOption = None,
        report: Annotated[
            Path | None,
            typer.Option(
                "--report", metavar="FILE", help="Write every rejected object, with RFC section and reason, as JSON."
            ),
        ] = None,
        workers: Annotated[
            int | None,
            typer.Option(
                "--workers",
                metavar="N",
                min=0,
                max=64,
                show_default="one a processor, up to 4",
                help="Judge in so many processes that can do nothing else; 0: in this one.",
            ),
        ] = None,
        strict: Annotated[
            bool,
            typer.Option(
                "--strict", help="Refuse objects that are BER and not DER, and exit with 1 if any was refused."
            ),
        ] = False,
        complete: Annotated[
            bool, typer.Option("--complete", help="Exit with 3 if any repository or publication point failed.")
        ] = False,
        data_dir: DataDirOption = None,
        quiet: QuietOption = False,
        verbose: VerboseOption = False,
    ) -> None:
        """Fetch the RPKI, validate every object, and print the validated ROA payloads.

        Exit code 3 says that a trust anchor gave nothing or more than may be read, so the payload is incomplete.

        Example: rpkival validate --format json --output vrps.json

        Example: rpkival validate --format openbgpd --no-aspas --output /var/db/rpki-client/openbgpd

        Example: rpkival validate --exceptions /etc/rpkival/slurm.json

        Example: rpkival validate --select-asn AS64496 --select-prefix 192.0.2.0/24 --more-specifics

        Example: rpkival validate --tal ta.tal --repository-dir rsync --offline --at 2026-03-16T08:00:00Z
        """
        from rpkival.cli.options import state_directory
        from rpkival.cli.output import check_writable, open_output
        from rpkival.cli.validation_summary import print_summary, report_json
        from rpkival.daemon.locators import read_locators
        from rpkival.daemon.succession import keep_timers
        from rpkival.garbage import collect_rarely
        from rpkival.payload.collect import collect
        from rpkival.payload.exceptions.files import load_exceptions
        from rpkival.payload.formats import check_format, write_payload
        from rpkival.payload.selection import Selection
        from rpkival.payload.shares import with_shares
        from rpkival.repository.opening import Fetching, fallback_named, open_source

        check_format(listing, _CCR, _OPENMETRICS)
        selection = _selection(
            lambda: Selection.parse(
                select_asn or (),
                select_prefix or (),
                more_specifics=more_specifics,
                route_origins=not no_route_origins,
                router_keys=not no_router_keys,
                aspas=not no_aspas,
            )
        )
        check_writable(output)
        check_writable(report, "--report")
        local = load_exceptions(exceptions or ())
        clock = _clock(at)
        locators = read_locators(tal or (), constraints or (), reconsidered=reconsidered)
        directory = repository_dir or state_directory(data_dir) / "repository"
        fetching = Fetching(
            offline=offline,
            rsync=not no_rsync,
            rrdp=not no_rrdp,
            fallback=fallback_named(rrdp_fallback),
            allow_dubious_hosts=allow_dubious_hosts,
            ca_file=ca_file,
        )
        started = time.monotonic()
        collect_rarely()
        with open_source(directory, fetching) as source:
            current = _current_manifests(source) if listing == _CCR else None
            on_settled = current.add if current else None
            run = _run(locators, source, clock, on_settled, workers=workers, strict=strict, quiet=quiet)
            if at is None and fetching.fetches:
                keep_timers(directory, locators, run.trust_anchors, source, run.now)
            # Meanwhile the source writes what the next run will remember.
            payload = collect(run)
            run = with_shares(run, payload)
            applied = local.apply(payload)
            chosen = selection.of(applied.payload)
            with open_output(output) as stream:
                if listing == _OPENMETRICS:
                    from rpkival.cli.validation_metrics import validation_metrics

                    stream.write(validation_metrics(run, chosen, source, time.monotonic() - started))
                elif current is not None:
                    from rpkival.cli.validation_ccr import validation_ccr

                    stream.write(validation_ccr(run, chosen, locators, current.manifests, produced_at=clock()))
                else:
                    write_payload(chosen, listing, stream, generated=run.now)
        if report is not None:
            with open_output(report, "--report") as stream:
                stream.write(report_json(run, source, applied))
        if not quiet:
            print_summary(run, applied, source, time.monotonic() - started, verbose=verbose)
        raise typer.Exit(_exit_code(run, strict=strict, complete=complete))


def _current_manifests(source: StoredSource | LocalDirectory) -> CurrentManifests:
    from rpkival.validation.current_manifests import CurrentManifests

    return CurrentManifests(source)


def _clock(at: str | None) -> Callable[[], int]:
    """The time in unix seconds: of this machine, or always the one asked for."""
    if at is None:
        return lambda: int(time.time())
    moment = parse_time(at)
    return lambda: moment


def _selection(parse: Callable[[], Selection]) -> Selection:
    """What is wrong with a selector is wrong with the command line."""
    try:
        return parse()
    except (InputError, LimitError) as error:
        raise UsageError(f"--select-asn or --select-prefix: {error}") from error


def _run(
    locators: Sequence[Tal],
    source: StoredSource | LocalDirectory,
    clock: Callable[[], int],
    on_settled: Settled | None,
    *,
    workers: int | None,
    strict: bool,
    quiet: bool,
) -> ValidationRun:
    """Validate one trust anchor after the other, with a bar for each and a line for each repository under way."""
    from rpkival.cli.terminal import progress
    from rpkival.cli.validation_progress import ValidationProgress
    from rpkival.repository.stored_source import StoredSource
    from rpkival.validation.walk import validate

    with progress(quiet=quiet) as bars:
        shown = ValidationProgress(bars, [locator.name for locator in locators])
        return validate(
            locators,
            source,
            clock=clock,
            on_progress=shown.point,
            on_fetch=shown.fetch,
            on_settled=on_settled,
            workers=workers,
            memo=source if isinstance(source, StoredSource) else None,
            strict=strict,
        )


def _exit_code(run: ValidationRun, *, strict: bool, complete: bool) -> int:
    if any(not (anchor.uri and anchor.complete) for anchor in run.trust_anchors):
        return 3
    if complete and (run.fetch_problems or run.counts.publication_points_rejected):
        return 3
    return 1 if strict and run.rejections else 0
