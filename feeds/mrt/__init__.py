"""MRT files (RFC 6396, RFC 8050): what collectors archive, decoded a block at a time into columns.

    gzip, bzip2  what they are compressed with; bzip2 on all cores
    ahead        the next item is made while one works on the last
    stream       bytes of a file, decompressed by what they are, not by what the file is called
    records      a block of bytes -> the records in it
    octets       columns of numbers out of a block, at columns of offsets
    attributes   where the path attributes of many messages stand
    as_path      AS_PATH and AS4_PATH -> the paths and their origins
    nlri         runs of encoded prefixes -> columns of prefixes
    updates      BGP4MP, BGP4MP_ET and BGP messages -> RouteBatch
    rib          TABLE_DUMP_V2 entries -> RouteBatch
    table_dump   TABLE_DUMP entries -> RouteBatch
    reader       a whole file

The formats chain lengths to lengths, so no field's place is known before the field ahead of it was read. The decoder
therefore works in rounds: all messages take their first attribute at once, then all take their second, and so on. A
round costs a few numpy calls whatever the number of messages, and there are as many rounds as the longest has items.
"""

from feeds.mrt.reader import MrtReader, MrtStats, read_mrt

__all__ = ["MrtReader", "MrtStats", "read_mrt"]
