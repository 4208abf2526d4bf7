"""Planted faults: served queries, each broken in one known way, to hold the diagnosis to account."""
