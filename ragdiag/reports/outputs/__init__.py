"""Forms of a report that are written to files: one module each, chosen by how the file's name ends."""
