"""Planted faults: served queries, each broken in one known way, to hold the diagnosis to account.

``python tests/bench/planted`` makes worlds, verifies them, has `ragdiag audit` diagnose them and scores what it says. A world is
one public set under one retriever: some of its pages (`sources`), made-up tables (`families`), chunks of whole sentences, served
questions. Faults are edits of chunks, pages or wording (`cuts`, `context`, `additions`, `distractors`, `asking`, `wordforms`,
`turns`), one a question, all in the same world (`plant`). Half have a harmless herring beside them, half of the healthy controls
a decoy (`harmless`). Each case is verified in the finished world by rankings made apart from the package (`search`, `verify`):
insufficient, restored by undoing it, not by removing the herring; other single repairs that work are noted as right, too.
`baselines` and `scoring` say how good the diagnosis is. It takes nothing from the diagnosis, its word lists and names of
metadata fields included.

The seeds `dev`, `test` and `test2` share no question, `test2` no family of tables: tune on the first two. ``--keep`` writes
the worlds, ``--score`` diagnoses them again.
"""
