"""Rank chunks for a query: one retriever per file."""
