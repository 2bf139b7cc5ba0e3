"""The words of the ISP check, in one place, for the page, the API and their readers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from web.beacons import BeaconFamily
from web.kinds import Kind

__all__ = ["HEADLINES", "HEADLINE_OF_MANY", "KIND_NAMES", "Words", "words_for"]


@dataclass(frozen=True, slots=True)
class Words:
    """`headline` says what was found, `means` what follows, `limits` what it does not prove, `advice` what to do."""

    headline: str
    means: str
    limits: str
    advice: str


KIND_NAMES: Final = {
    Kind.DROPS: "Drops invalid routes",
    Kind.DROPS_ELSEWHERE: "Drops them, with a way around",
    Kind.ACCEPTS: "Accepts invalid routes",
    Kind.MIXED: "Mixed",
    Kind.NO_FAMILY: "Not tested",
    Kind.INCONCLUSIVE: "Inconclusive",
}
"""Each verdict in a few words."""

HEADLINES: Final = {
    Kind.DROPS: "Invalid routes do not reach you.",
    Kind.DROPS_ELSEWHERE: "Invalid routes lose where a valid one exists, but there is a way around.",
    Kind.ACCEPTS: "Invalid routes reach you.",
    Kind.MIXED: "Invalid routes reach you sometimes.",
    Kind.INCONCLUSIVE: "This check could not tell.",
    Kind.NO_FAMILY: "This check could not tell.",
}
"""Each verdict as the one sentence of the whole check."""

HEADLINE_OF_MANY: Final = "It depends: the results differ."
"""Where the families differ, so that no other sentence is true of all."""

_ONE_TEST = "It was tested with these addresses, from here, just now; other routes may be treated differently."
_ASK = (
    "Ask your provider: “Do you drop RPKI-invalid routes from all customers, peers and upstreams (RFC 6811)?” "
    "Send them this result; it names what was asked and what answered."
)

_TABLE: Final = {
    Kind.DROPS: Words(
        "{Over} invalid routes are dropped on your path.",
        "Your provider, or a network that it buys from, throws away routes that contradict what the holder of the "
        "addresses signed. A hijack of a signed prefix is unlikely to reach you.",
        "It does not tell which network on the path drops them, and a provider could have blocked the test address "
        f"alone. {_ONE_TEST} Prefixes that nobody signed for stay unprotected.",
        "Nothing to do here. If you hold addresses of your own, sign for them with a ROA.",
    ),
    Kind.DROPS_ELSEWHERE: Words(
        "{Over} invalid routes are dropped, but a default route leads around that.",
        "Where a valid route exists, your traffic takes it. Where only an invalid one exists, your traffic still "
        "leaves by a default route towards a network that accepts it.",
        _ONE_TEST,
        "Mostly fine for you. Your provider can close the gap by choosing upstreams that drop invalid routes too.",
    ),
    Kind.ACCEPTS: Words(
        "{Over} invalid routes reach you.",
        "Your browser reached an address that only an invalid route leads to. If an impostor announced your bank’s "
        "addresses, nothing on your path would keep your traffic from going there.",
        "A provider that drops invalid routes, and sends what it has no route for to an upstream that does not, looks "
        f"like this too; so does a VPN or a relay between you and the Internet. {_ONE_TEST}",
        _ASK,
    ),
    Kind.MIXED: Words(
        "{Over} invalid routes reach you sometimes.",
        "Some requests took an invalid route and some did not. Providers with several ways out often check on some of "
        "them only.",
        f"A weak line can look like this as well. {_ONE_TEST}",
        f"Repeat the check. If it stays mixed: {_ASK}",
    ),
    Kind.NO_FAMILY: Words(
        "You seem to have no {family}.",
        "Nothing answered over {family}, while the other family worked. What is not there cannot be hijacked, and "
        "cannot be called protected either.",
        "The beacons for {family} may also be down.",
        "Nothing to do.",
    ),
    Kind.INCONCLUSIVE: Words(
        "{Over} this check could not tell.",
        "What your browser saw fits more than one explanation, so there is no verdict, neither a good nor a bad one.",
        "A missing answer can be a dropped route, a content blocker, a firewall, a slow line or a beacon that is off.",
        "Switch off content blockers for this page, leave any VPN, and repeat the check.",
    ),
}


def words_for(kind: Kind, family: BeaconFamily) -> Words:
    """The words of a verdict in one family."""
    over = (
        "Over whichever of IPv4 and IPv6 your browser chose," if family is BeaconFamily.ANY else f"Over {family.text}"
    )
    words = _TABLE[kind]
    return Words(
        *(
            text.replace("{Over}", over).replace("{family}", family.text)
            for text in (words.headline, words.means, words.limits, words.advice)
        )
    )
