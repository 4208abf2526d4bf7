"""Cut a document into spans: one chunker per file."""
