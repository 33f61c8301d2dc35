"""All kinds together, mixes of them, and what tests compare."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
from hypothesis import strategies as st

from tests.loaders.exports import Fact, Kind, facts
from tests.loaders.exports_first import FIRST
from tests.loaders.exports_others import OTHERS

if TYPE_CHECKING:
    import pandas as pd

KINDS: tuple[Kind, ...] = (*FIRST, *OTHERS)
SYSTEMS = sorted({kind.source for kind in KINDS})

# A mix has few kinds too: of one system, so that they tell the same facts in different shapes, and of any.
some = st.one_of(
    st.sampled_from(SYSTEMS).map(lambda system: [kind for kind in KINDS if kind.source == system]),
    st.lists(st.sampled_from(KINDS), min_size=1, max_size=4),
    st.just(KINDS),
)
mixes: st.SearchStrategy[list[tuple[Kind, Fact]]] = some.flatmap(
    lambda kinds: st.lists(st.tuples(st.sampled_from(kinds), facts), min_size=1, max_size=24)
)


def events_of(*batches: Any) -> pd.DataFrame:
    """Return the events of batches as one frame; converted once, for each time takes a while."""
    return pa.concat_tables([batch.table for batch in batches]).to_pandas()


def counted(batch: Any) -> Any:
    """Return a batch of which every record ended as an event, ignored or rejected."""
    assert batch.records == batch.table.num_rows + batch.ignored.total() + len(batch.rejected)
    return batch
