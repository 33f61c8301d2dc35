"""What changed between two bundles."""

from __future__ import annotations


class BundleDiff:
    """Placeholder until the comparison is written."""


def diff_bundles() -> BundleDiff:
    """Compare."""
    raise NotImplementedError
