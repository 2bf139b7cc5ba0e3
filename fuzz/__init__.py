"""Fuzzing what reads foreign octets: `make fuzz`, or `python -m fuzz roa --seconds 300` for one target.

A target is a file in `fuzz/targets` with a function `fuzz(data)`, and a directory of seeds beside them. It may return
or raise an `RpkivalError`; anything else is a find.
"""
