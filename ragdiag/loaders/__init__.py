"""Document formats that need a library: one file per format, each with ``load(path) -> Document`` text, title and pages."""
