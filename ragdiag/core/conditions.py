"""What the model was given when it answered. A module of its own, which imports nothing, so that the command line starts fast."""

__all__ = ["CLOSED_BOOK", "CONDITIONS", "FIRST", "LAST", "LONGER", "MIDDLE", "ORACLE", "PLACED", "RETRIEVED", "TRIMMED"]

RETRIEVED, ORACLE, CLOSED_BOOK = "retrieved", "oracle", "closed_book"
"""The pipeline's context, exactly the evidence, or nothing: what the litmus test asks."""

TRIMMED, FIRST, MIDDLE, LAST, LONGER = "trimmed", "first", "middle", "last", "longer"
"""What it is about a context that harms: the pipeline's without its off-topic chunks; the evidence before, amid or after as many
off-topic chunks as the pipeline's context has; amid twice as many and more."""

PLACED = (FIRST, MIDDLE, LAST, LONGER)

CONDITIONS = (RETRIEVED, ORACLE, CLOSED_BOOK, TRIMMED, *PLACED)
