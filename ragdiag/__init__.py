"""Find out why a RAG application answers badly, with proof."""

__version__ = "0.1.0"
