"""Trust decisions: which objects count, from the trust anchors down. Pure: the time is an argument."""
