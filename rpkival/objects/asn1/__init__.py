"""ASN.1 declarations, field by field as the RFCs' modules have them, for decoding and for encoding.

Where the RPKI's profile leaves no choice open, the declaration has none either, so that what does not fit fails to
decode. Where the exact bytes are needed later (what is signed, names that are compared), a field is a `TLV`.
"""
