"""The files VRPs travel in, one format a file."""
