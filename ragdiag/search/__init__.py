"""From chunks to rankings: chunkers, contexts, retrievers, encoders, recorded runs, live searches."""
