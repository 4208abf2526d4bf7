"""Judges: is this answer right, given the reference answer? One file each."""
