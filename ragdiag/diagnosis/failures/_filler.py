"""English words that ask for something, and say nothing of its subject."""

from __future__ import annotations

REQUESTS = frozenset(
    """
    according aim aims article briefly called concept concerning deal deals define defined definition described describes
    describing discuss discussed discusses document documents example examples explain explained explains explanation find
    following give given happen happens help information kind know let mean meaning means mention mentioned method methods
    paper paragraph passage please provide provided provides purpose question reason reasons refer referred refers regarding
    report say says section seen show shown specific specifically stated stating study tell thing trying type types understand
    use used uses using want way ways wondering
    """.split()
)

KEPT = frozenset("no not nor never without none nothing cannot against before after between under over above below".split())
"""Function words that turn what a question asks: never left out."""
