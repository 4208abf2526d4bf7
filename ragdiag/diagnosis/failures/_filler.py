"""English words that ask for something, and say nothing of its subject."""

from __future__ import annotations

REQUESTS = frozenset(
    """
    according advance aim aims anybody anyone appreciate article brief briefly called concept concerning curious deal deals
    define defined definition described describes describing detail details discuss discussed discusses document documents
    elaborate example examples explain explained explains explanation find following general generally give given happen happens
    hello help hi idea info information interested kind know let like looking main mean meaning means mention mentioned method
    methods need overall overview paper paragraph passage please point possibly practice provide provided provides purpose
    question quick quickly reason reasons refer referred refers regarding report respect say says section seen show shown
    somebody someone specific specifically stated stating study summarize summary tell thank thanks thing trying type types
    understand use used uses using want way ways wonder wondering
    """.split()
)

POINTING = frozenset("this these that those it its they them their such".split())
"""Words that point at what was named before."""

SOURCES = frozenset(
    """
    article articles author authors conclusion conclusions data document documents experiment experiments figure finding
    findings indicate indicated model paper papers passage report reported reports result results researchers show showed shown
    studies study summarized summarised summary table text texts
    """.split()
)
"""Words for a text and what it says, which name none."""

KEPT = frozenset("no not nor never without none nothing cannot against before after between under over above below".split())
"""Function words that turn what a question asks: never left out."""
