"""`rpkival up` on the Internet: the configuration's trust anchors, feeds and webhooks."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from rpkival.alerts.signature import Secret, read_secrets
from rpkival.alerts.webhook import Endpoint
from rpkival.config import Config, Validation, Webhook
from rpkival.daemon.job import Job
from rpkival.daemon.locators import read_locators
from rpkival.daemon.service import Address, Service
from rpkival.daemon.stopping import until_stopped
from rpkival.errors import UsageError
from rpkival.repository.opening import Fetching
from rpkival.resources import resource
from web.beacons import load_beacons
from web.view import View

__all__ = ["job_of", "run_live"]


async def run_live(config: Config, data_dir: Path, *, rtr: Address, http: Address, say: Callable[[str], None]) -> None:
    """Run until SIGINT or SIGTERM. Raises `UsageError` where the configuration cannot work here."""
    job = job_of(config.validation, data_dir)
    view = View(beacons=load_beacons(config.http.beacons or resource("beacons.toml")))
    endpoints = tuple(_endpoint(webhook) for webhook in config.webhooks)
    service = Service(config, data_dir, job, view, rtr=rtr, http=http, endpoints=endpoints)
    addresses = await service.start()
    try:
        for line in addresses.told():
            say(line)
        if config.monitor.own:
            say(f"watching             {', '.join(config.monitor.own)}")
        else:
            say("watching             nothing; say what is yours with --own AS64496 or in the configuration")
        if view.snapshot is None:
            say("The first validation is under way; it takes some minutes. Routers wait until it is done.")
        await until_stopped()
    finally:
        await service.close()


def job_of(validation: Validation, data_dir: Path) -> Job:
    """What is to be validated. Raises `UsageError` now, and not in a log ten seconds later, for what is not there."""
    fetching = Fetching(
        offline=validation.offline,
        rsync=validation.rsync,
        rrdp=validation.rrdp,
        fallback=validation.rrdp_fallback,
        refresh=validation.refresh,
        allow_dubious_hosts=validation.allow_dubious_hosts,
        ca_file=validation.ca_file,
    )
    directory = validation.repository_dir or data_dir / "repository"
    fetching.check(directory)
    locators = read_locators(validation.tals, validation.constraints, reconsidered=validation.reconsidered)
    return Job(locators, directory, fetching, validation.workers, validation.strict)


def _endpoint(webhook: Webhook) -> Endpoint:
    if webhook.secret_file is not None:
        secrets = read_secrets(webhook.secret_file)
    elif text := os.environ.get(webhook.secret_env):
        secrets = (Secret.parse(text),)
    else:
        raise UsageError(f"The webhook {webhook.url} has no secret; give it secret_file or secret_env.")
    return Endpoint(webhook.url, secrets, webhook.allow)
