"""The run of a load test: so many routers of each kind, for so long."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from rpkival.rtr.load.measures import Measures
from rpkival.rtr.load.routers import Behaviour, Load, Router

__all__ = ["run_load", "share_out"]


def share_out(routers: int, weights: Mapping[Behaviour, float]) -> dict[Behaviour, int]:
    """`routers` in the proportions of `weights` (of which one at least is above 0); largest remainders round up."""
    whole = sum(weights.values())
    exact = {behaviour: routers * weight / whole for behaviour, weight in weights.items()}
    shares = {behaviour: int(share) for behaviour, share in exact.items()}
    by_rest = sorted(exact, key=lambda behaviour: shares[behaviour] - exact[behaviour])
    for behaviour in by_rest[: routers - sum(shares.values())]:
        shares[behaviour] += 1
    return shares


async def run_load(load: Load, shares: Mapping[Behaviour, int], *, seconds: float, ramp: float = 0.0) -> Measures:
    """Play the routers for `seconds`; they come one after the other within the first `ramp` seconds."""
    measures = Measures()
    routers = [Router(load, behaviour, measures, number) for number, behaviour in enumerate(_mixed(shares))]
    tasks: list[asyncio.Task[None]] = []
    loop = asyncio.get_running_loop()
    began = loop.time()
    try:
        for number, router in enumerate(routers):
            await asyncio.sleep(max(0.0, began + ramp * number / len(routers) - loop.time()) if ramp else 0)
            tasks.append(asyncio.create_task(router.live()))
        await asyncio.wait(tasks, timeout=max(0.0, began + seconds - loop.time()), return_when=asyncio.FIRST_EXCEPTION)
    finally:
        measures.unfinished = sum(router.amid_answer for router in routers)
        ended = [task for task in tasks if task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in ended:
        task.result()  # a router only ends by a fault of ours, which is to be seen
    return measures


def _mixed(shares: Mapping[Behaviour, int]) -> list[Behaviour]:
    """Each router's behaviour, evenly mixed."""
    places = [((number + 0.5) / count, kind) for kind, count in shares.items() for number in range(count)]
    return [kind for _, kind in sorted(places)]
