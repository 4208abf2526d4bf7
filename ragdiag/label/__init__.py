"""``ragdiag label``: teams without labels mark, in pooled results of several retrievers, what answers their queries.

`drafts` and `pooling` say what there is to label, `session` and `decisions` what was decided, `terminal` and `page` show it.
"""
