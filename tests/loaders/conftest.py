"""Write an export, read it back."""

from __future__ import annotations

import json

import pytest

from stanza_lab.loaders import read_files


@pytest.fixture
def read(tmp_path):
    """Return a function that reads one export (bytes, text or a JSON value) as one batch."""

    def read(export, *, name="export.json", **options):
        if not isinstance(export, (bytes, str)):
            export = json.dumps(export)
        path = tmp_path / name
        path.write_bytes(export.encode() if isinstance(export, str) else export)
        [batch] = read_files(path, **options)
        assert batch.records == len(batch.events) + len(batch.rejected) + batch.ignored.total()
        return batch

    return read


@pytest.fixture
def event(read):
    """Return a function that reads an export of one event and returns it as a dict, nulls left out."""

    def event(export, **options):
        batch = read(export, **options)
        assert batch.rejected["message"].tolist() == []
        [row] = batch.events.to_dict("records")
        return {key: value for key, value in row.items() if isinstance(value, list) or value == value}

    return event
