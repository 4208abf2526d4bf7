"""Traces of an application in production, read as recorded runs: one file a format, and one that recognises them."""
