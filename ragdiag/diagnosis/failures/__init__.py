"""Failure modes: what each looks like, and the intervention on the team's own index that proves it the cause."""

ORDER = (
    "label_defect",
    "missing_content",
    "chunk_split",
    "oversized",
    "truncated",
    "stale",
    "crowded_out",
    "pollution",
    "diluted",
    "index_miss",
    "query_mismatch",
    "incomplete",
    "ranking",
    "adjacent",
)
"""The modes of a query, the most specific first; what others add comes before the residual three. `slow` is no query's."""
