"""A configuration handed over: as running code of a framework, or as options. One form a file; its name is its spec name."""

from ragdiag.exports._export import Export, export, exporter_for

__all__ = ["Export", "export", "exporter_for"]
