"""RFC 9323 section 4; resources have the form that they have in certificates, but for inheriting."""

from __future__ import annotations

from typing import Annotated

from cryptography.hazmat.asn1 import TLV, Default, Explicit, IA5String, sequence

from rpkival.objects.asn1.ip_resources import ASIdentifiers, IPAddressFamily

__all__ = ["FileNameAndHash", "ResourceBlock", "RpkiSignedChecklist"]


@sequence
class ResourceBlock:
    as_id: Annotated[ASIdentifiers | None, Explicit(0)] = None
    ip_addr_blocks: Annotated[list[IPAddressFamily] | None, Explicit(1)] = None


@sequence
class FileNameAndHash:
    file_name: IA5String | None = None
    hash: bytes


@sequence
class RpkiSignedChecklist:
    version: Annotated[int, Default(value=0), Explicit(0)]
    resources: ResourceBlock
    digest_algorithm: TLV
    check_list: list[FileNameAndHash]
