"""Labelled queries in: one file per format, each with ``read(path, qrels) -> list[Query]``."""
