"""Configurations held against each other on the same labels."""
