"""Where signed objects come from: rsync and local directories. Bytes in, bytes out, nothing is believed."""
