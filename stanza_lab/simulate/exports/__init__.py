"""One module per vendor: a production's records in the shape its API, archive or webhook log has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from stanza_lab.simulate.exports import cloudwatch, datadog, otlp, pagerduty, sentry

if TYPE_CHECKING:
    from stanza_lab.simulate.production import Production


def render_exports(production: Production) -> Iterator[tuple[str, str]]:
    """Yield the path and the text of every file of the exports."""
    for vendor in (cloudwatch, datadog, sentry, pagerduty, otlp):
        yield from vendor.render(production)
