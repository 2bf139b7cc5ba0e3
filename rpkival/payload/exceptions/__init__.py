"""Local exceptions to what the RPKI says: SLURM files (RFC 8416), read, held against each other, and applied."""
