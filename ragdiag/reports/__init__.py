"""A report as terminal text or JSON: one form per file."""
