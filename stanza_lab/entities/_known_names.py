"""Known names in many texts: each distinct sentence that may hold one is searched once.

`NameFinder` looks at words of one line, so a text is cut at line ends and at full stops; numbers and times mostly stand
in other sentences than names do. Which sentences hold the beginning of any name, polars finds in one pass.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

import numpy as np

from stanza_lab.entities.extraction.scan import MARK, distinct_values, without_marks
from stanza_lab.entities.naming import Hit, NameFinder

_FIRST = re.compile(r"[^\W_]+")


def find_known(names: Collection[str], texts: Sequence[str], *, alert_name: bool) -> list[list[Hit]]:
    """Return for each text the known names (folded) in it, as `NameFinder` finds them in the whole text."""
    import polars as pl

    found: list[list[Hit]] = [[] for _ in texts]
    firsts = sorted({match.group() for match in map(_FIRST.match, names) if match})
    if not firsts or not texts:
        return found
    marked = without_marks(pl.Series(texts, dtype=pl.String)).str.replace_all("\n", f"\n{MARK}", literal=True)
    if not any(".-" in name for name in names):
        marked = marked.str.replace_all(". ", f".{MARK} ", literal=True)
    pieces = marked.str.split(MARK)
    sizes = pieces.list.len().to_numpy().astype(np.int64)
    flat = pieces.explode()
    lengths = flat.str.len_chars().to_numpy().astype(np.int64)
    before = np.cumsum(lengths) - lengths
    begins = np.repeat(before[np.cumsum(sizes) - sizes], sizes)
    kept = np.flatnonzero(flat.str.contains_any(firsts, ascii_case_insensitive=True).to_numpy())
    distinct, codes = distinct_values(flat.gather(kept))
    finder = NameFinder(names)
    hits = [finder.find(sentence, alert_name=alert_name) for sentence in distinct.to_list()]
    number, start = np.repeat(np.arange(len(sizes)), sizes)[kept], (before - begins)[kept]
    for code, text, offset in zip(codes.tolist(), number.tolist(), start.tolist(), strict=True):
        found[text] += [hit._replace(start=hit.start + offset, end=hit.end + offset) for hit in hits[code]]
    return found
