"""What a word, a span, a heading, a near-duplicate and a version are."""
