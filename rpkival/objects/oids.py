"""Object identifiers of the RPKI, named as their RFCs name them."""

from typing import Final

from cryptography.x509 import ObjectIdentifier

# --- signed objects (RFC 5652, RFC 6488, RFC 9589) ---------------------------------------------------------------

SIGNED_DATA: Final = ObjectIdentifier("1.2.840.113549.1.7.2")
CONTENT_TYPE: Final = ObjectIdentifier("1.2.840.113549.1.9.3")
MESSAGE_DIGEST: Final = ObjectIdentifier("1.2.840.113549.1.9.4")
SIGNING_TIME: Final = ObjectIdentifier("1.2.840.113549.1.9.5")
BINARY_SIGNING_TIME: Final = ObjectIdentifier("1.2.840.113549.1.9.16.2.46")

ROUTE_ORIGIN_AUTHZ: Final = ObjectIdentifier("1.2.840.113549.1.9.16.1.24")
RPKI_MANIFEST: Final = ObjectIdentifier("1.2.840.113549.1.9.16.1.26")
GHOSTBUSTERS: Final = ObjectIdentifier("1.2.840.113549.1.9.16.1.35")
CHECKLIST: Final = ObjectIdentifier("1.2.840.113549.1.9.16.1.48")
ASPA: Final = ObjectIdentifier("1.2.840.113549.1.9.16.1.49")
TAK: Final = ObjectIdentifier("1.2.840.113549.1.9.16.1.50")
PREFIX_LIST: Final = ObjectIdentifier("1.2.840.113549.1.9.16.1.51")
CCR: Final = ObjectIdentifier("1.2.840.113549.1.9.16.1.54")

SHA256: Final = ObjectIdentifier("2.16.840.1.101.3.4.2.1")

# --- certificate and CRL extensions (RFC 5280, RFC 3779) ---------------------------------------------------------

SUBJECT_KEY_IDENTIFIER: Final = ObjectIdentifier("2.5.29.14")
KEY_USAGE: Final = ObjectIdentifier("2.5.29.15")
BASIC_CONSTRAINTS: Final = ObjectIdentifier("2.5.29.19")
CRL_NUMBER: Final = ObjectIdentifier("2.5.29.20")
CRL_DISTRIBUTION_POINTS: Final = ObjectIdentifier("2.5.29.31")
CERTIFICATE_POLICIES: Final = ObjectIdentifier("2.5.29.32")
AUTHORITY_KEY_IDENTIFIER: Final = ObjectIdentifier("2.5.29.35")
EXTENDED_KEY_USAGE: Final = ObjectIdentifier("2.5.29.37")
AUTHORITY_INFO_ACCESS: Final = ObjectIdentifier("1.3.6.1.5.5.7.1.1")
SUBJECT_INFO_ACCESS: Final = ObjectIdentifier("1.3.6.1.5.5.7.1.11")
IP_ADDR_BLOCKS: Final = ObjectIdentifier("1.3.6.1.5.5.7.1.7")
AUTONOMOUS_SYS_IDS: Final = ObjectIdentifier("1.3.6.1.5.5.7.1.8")
IP_ADDR_BLOCKS_V2: Final = ObjectIdentifier("1.3.6.1.5.5.7.1.28")
AUTONOMOUS_SYS_IDS_V2: Final = ObjectIdentifier("1.3.6.1.5.5.7.1.29")

# --- what extensions name ----------------------------------------------------------------------------------------

COMMON_NAME: Final = ObjectIdentifier("2.5.4.3")
SERIAL_NUMBER: Final = ObjectIdentifier("2.5.4.5")
CP_IP_ADDR_ASN: Final = ObjectIdentifier("1.3.6.1.5.5.7.14.2")
CP_IP_ADDR_ASN_V2: Final = ObjectIdentifier("1.3.6.1.5.5.7.14.3")
QUALIFIER_CPS: Final = ObjectIdentifier("1.3.6.1.5.5.7.2.1")
CA_ISSUERS: Final = ObjectIdentifier("1.3.6.1.5.5.7.48.2")
CA_REPOSITORY: Final = ObjectIdentifier("1.3.6.1.5.5.7.48.5")
RPKI_MANIFEST_ACCESS: Final = ObjectIdentifier("1.3.6.1.5.5.7.48.10")
SIGNED_OBJECT: Final = ObjectIdentifier("1.3.6.1.5.5.7.48.11")
RPKI_NOTIFY: Final = ObjectIdentifier("1.3.6.1.5.5.7.48.13")
BGPSEC_ROUTER: Final = ObjectIdentifier("1.3.6.1.5.5.7.3.30")

NAMES: Final[dict[ObjectIdentifier, str]] = {
    SUBJECT_KEY_IDENTIFIER: "subject key identifier",
    KEY_USAGE: "key usage",
    BASIC_CONSTRAINTS: "basic constraints",
    CRL_NUMBER: "CRL number",
    CRL_DISTRIBUTION_POINTS: "CRL distribution points",
    CERTIFICATE_POLICIES: "certificate policies",
    AUTHORITY_KEY_IDENTIFIER: "authority key identifier",
    EXTENDED_KEY_USAGE: "extended key usage",
    AUTHORITY_INFO_ACCESS: "authority information access",
    SUBJECT_INFO_ACCESS: "subject information access",
    IP_ADDR_BLOCKS: "IP address delegation",
    AUTONOMOUS_SYS_IDS: "AS identifier delegation",
    IP_ADDR_BLOCKS_V2: "IP address delegation (version 2)",
    AUTONOMOUS_SYS_IDS_V2: "AS identifier delegation (version 2)",
    CONTENT_TYPE: "content-type",
    MESSAGE_DIGEST: "message-digest",
    SIGNING_TIME: "signing-time",
    BINARY_SIGNING_TIME: "binary-signing-time",
    ROUTE_ORIGIN_AUTHZ: "route origin authorization",
    RPKI_MANIFEST: "manifest",
    GHOSTBUSTERS: "Ghostbusters record",
    CHECKLIST: "signed checklist",
    ASPA: "autonomous system provider authorization",
    TAK: "trust anchor key object",
    PREFIX_LIST: "signed prefix list",
    CCR: "canonical cache representation",
}
"""What sentences call them."""


def name(oid: ObjectIdentifier) -> str:
    """The name of an object identifier, or its dotted numbers."""
    return NAMES.get(oid) or oid.dotted_string
