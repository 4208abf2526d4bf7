"""Prompt, RAG, fine-tuning or both: the decision framework and its costs."""
