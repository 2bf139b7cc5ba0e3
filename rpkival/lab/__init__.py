"""A small Internet on loopback: certificate authorities, ASes, beacons and a hijack."""
