"""Other words for common content words of the sets, and the frames of casual questions."""

CASUAL = ("what's the deal with {}?", "{}")
OTHER_WORDS: dict[str, list[str]] = {"virus": ["bug"], "disease": ["illness"]}
