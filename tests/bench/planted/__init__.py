"""Planted faults: served queries, each broken in one known way, to hold the diagnosis to account.

``python tests/bench/planted`` makes worlds, verifies them, has `ragdiag audit` diagnose them and scores what it says. A world is
one public set under one retriever: some of its pages (`sources`), chunks of whole sentences, served questions. Faults are
edits of chunks, pages or wording (`cuts`, `additions`, `distractors`, `asking`), one a question, all in the same world (`plant`).
Half have a harmless herring beside them, half of the healthy controls a decoy (`harmless`). Each case is verified in the finished
world by rankings made apart from the package (`search`, `verify`): insufficient, restored by undoing it, not by removing the
herring; other single repairs that work are noted as right, too. `baselines` and `scoring` say how good the diagnosis is.

The seeds `dev` and `test` share no question: tune on the first. ``--keep`` writes the worlds, ``--score`` diagnoses them again.
"""
