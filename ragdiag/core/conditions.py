"""What the model was given when it answered. A module of its own, which imports nothing, so that the command line starts fast."""

__all__ = ["CLOSED_BOOK", "CONDITIONS", "ORACLE", "RETRIEVED"]

RETRIEVED, ORACLE, CLOSED_BOOK = "retrieved", "oracle", "closed_book"

CONDITIONS = (RETRIEVED, ORACLE, CLOSED_BOOK)
"""The pipeline's context, exactly the evidence, or nothing."""
