"""What the model was given when it answered. A module of its own, for the command line's start: it imports nothing."""

__all__ = ["CLOSED_BOOK", "CONDITIONS", "ORACLE", "RETRIEVED"]

RETRIEVED, ORACLE, CLOSED_BOOK = "retrieved", "oracle", "closed_book"

CONDITIONS = (RETRIEVED, ORACLE, CLOSED_BOOK)
"""The pipeline's context, exactly the evidence, or nothing."""
