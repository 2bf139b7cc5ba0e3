"""The signed objects of the RPKI: DER bytes in, one frozen dataclass per object out; no network, no clock, no trust."""
