"""What is embedded and indexed with a chunk: one kind per file."""
