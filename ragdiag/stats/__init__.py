"""Intervals, paired tests, corrections by labels."""
