"""Ownership catalogues."""

from __future__ import annotations

import pytest

from stanza_lab import read_ownership, schema
from stanza_lab.errors import SchemaError


def test_headers_are_matched_loosely(tmp_path):
    path = tmp_path / "catalog.csv"
    path.write_text(
        "\ufeffComponent;Squad;Repo;Pager;Criticality;Notes\n checkout ;payments;shop/checkout;;tier1;x\n;;;;;\n"
    )
    owned = read_ownership(path)
    assert owned.columns.tolist() == schema.OWNERSHIP.names
    assert owned.astype(object).where(owned.notna(), None).values.tolist() == [
        ["checkout", "payments", "shop/checkout", None, "tier1"]
    ]


def test_header_alone_is_an_empty_catalogue(tmp_path):
    path = tmp_path / "catalog.csv"
    path.write_text("service,team\n")
    assert read_ownership(path).empty


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "a.csv",
            b"service,repo\ncheckout,x\n",
            r"no column for team \(or owner, squad.*columns are \['service', 'repo'\]",
        ),
        ("a.csv", b"", "the file is empty"),
        ("a.csv", b"service,team\na,b,c,d\n", r"\['a', 'b', 'c', 'd'\] has more values than the header"),
        ("a.csv", b"service,team\na,b,c,d\ne,f\n\xff\xfe,\n", "not a CSV table"),
        ("a.yaml", b"service: x", "no reader for .yaml"),
    ],
)
def test_what_is_no_catalogue(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(SchemaError, match=message):
        read_ownership(path)


def test_missing_file(tmp_path):
    with pytest.raises(SchemaError, match="No such file"):
        read_ownership(tmp_path / "none.csv")


def test_lines_may_end_in_a_comma_or_be_short(tmp_path):
    path = tmp_path / "catalog.csv"
    path.write_text("service,team,tier\ncheckout,payments,1,\n\norders,fulfil\n")
    assert read_ownership(path)[["service", "team"]].values.tolist() == [["checkout", "payments"], ["orders", "fulfil"]]
