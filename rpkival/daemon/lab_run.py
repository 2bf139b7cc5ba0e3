"""`rpkival up --lab`: the same service on a small Internet of its own, with somebody at the other end of the alert."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec

from rpkival.alerts.signature import Secret
from rpkival.alerts.webhook import Endpoint
from rpkival.config import Config, Monitor
from rpkival.daemon.lab import LabRepository, beacon_sets, is_invalid
from rpkival.daemon.receiver import Receiver
from rpkival.daemon.service import Address, Service
from rpkival.daemon.stopping import until_stopped
from rpkival.lab.internet import Addresses, LabInternet
from rpkival.lab.scenario import Scenario
from rpkival.lab.topology import LAB
from rpkival.storage import hold_directory
from web.view import Isp, View

__all__ = ["run_lab"]

_REFRESH = 30
"""Seconds between validations: a lab's tree takes a tenth of a second, and visitors want to see something happen."""

_PUBLISH_SECONDS = 6 * 3600.0
"""Manifests of the lab hold for a day and are signed anew well before."""


async def run_lab(
    config: Config,
    data_dir: Path | None,
    *,
    rtr: Address,
    http: Address,
    bgp_port: int,
    hijack_lasts: int,
    say: Callable[[str], None],
) -> None:
    """Run until SIGINT or SIGTERM; without `data_dir` everything is gone afterwards. Raises `UsageError`."""
    # What is wrong with the request is told before anything is signed.
    scenario = Scenario(LAB.hijack, lasts=hijack_lasts, repeats=max(300.0, 2 * hijack_lasts), heartbeat=LAB.heartbeat)
    async with AsyncExitStack() as stack:
        if data_dir is None:
            data_dir = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rpkival-lab-")))
        stack.enter_context(hold_directory(data_dir))
        say("Signing a trust anchor, authorities and ROAs ...")
        repository = await asyncio.to_thread(LabRepository, data_dir / "registry")
        stack.callback(repository.close)
        internet = await stack.enter_async_context(LabInternet(LAB, scenario))
        lab = await internet.start(bgp_port=bgp_port)
        secret = Secret.new()
        receiver = Receiver(secret, lambda kind, data: say(_alert(kind, data)))
        stack.push_async_callback(receiver.close)
        endpoint = Endpoint(await receiver.start(), (secret,), ("127.0.0.1",))
        isps = tuple(Isp(name, LAB.system(asn).name) for name, asn in LAB.isps)
        view = View(beacons=beacon_sets(lab.beacons), lab=True, isps=isps)
        service = Service(
            _lab_config(config, internet, lab),
            data_dir,
            repository.job(data_dir / "repository"),
            view,
            rtr=rtr,
            http=http,
            endpoints=(endpoint,),
            held=True,
        )

        def obey() -> None:
            assert view.index is not None
            internet.set_verdict(is_invalid(view.index))

        service.on_payload(obey)
        addresses = await service.start()
        stack.push_async_callback(service.close)
        for line in (*addresses.told(), *_told(lab, repository, scenario)):
            say(line)
        happening = [asyncio.create_task(internet.run()), asyncio.create_task(_republish(repository))]
        try:
            await until_stopped()
        finally:
            for task in happening:
                task.cancel()
            await asyncio.gather(*happening, return_exceptions=True)


def _lab_config(config: Config, internet: LabInternet, lab: Addresses) -> Config:
    own = (f"AS{internet.topology.victim}",)
    monitor: Monitor = msgspec.structs.replace(config.monitor, own=own, ris_live_url=lab.collector)
    return msgspec.structs.replace(
        config,
        monitor=monitor,
        validation=msgspec.structs.replace(config.validation, refresh=_REFRESH, allow_dubious_hosts=True),
        rtr=msgspec.structs.replace(config.rtr, notify_interval=0.0),
    )


def _told(lab: Addresses, repository: LabRepository, scenario: Scenario) -> list[str]:
    how = "over rsync" if repository.served_by_rsync else "from the directory (rsync is not installed)"
    return [
        f"BGP for your router  {lab.bgp[0]}:{lab.bgp[1]} (AS{lab.bgp_asn}; connect as AS65550)",
        f"objects are read     {how}",
        (
            f"In {scenario.starts:g} seconds AS{LAB.hijack.origin} hijacks {LAB.hijack.prefix} of AS{LAB.victim};"
            f" {scenario.lasts:g} seconds later it ends. Ctrl-C ends the lab."
        ),
    ]


def _alert(kind: str, data: dict[str, object]) -> str:
    observed = data.get("observed")
    origin = observed.get("origin") if isinstance(observed, dict) else None
    return f"ALERT, signature verified: {kind}: {data.get('prefix')} announced by {origin} ({data.get('kind')})"


async def _republish(repository: LabRepository) -> None:
    while True:
        await asyncio.sleep(_PUBLISH_SECONDS)
        await asyncio.to_thread(repository.publish)
