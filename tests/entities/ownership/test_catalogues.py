"""Ownership catalogues."""

from __future__ import annotations

import json
import warnings

import pytest

from stanza_lab import read_ownership, schema
from stanza_lab.entities.ownership.catalogues import CatalogueWarning
from stanza_lab.errors import ParameterError, SchemaError

COMPONENT = """\
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: checkout
  description: Takes orders
  annotations:
    github.com/project-slug: acme/checkout
    backstage.io/source-location: url:https://github.com/acme/monorepo/tree/main/checkout/
    pagerduty.com/service-id: PCHECK1
    pagerduty.com/integration-key: 0123456789abcdef0123456789abcdef
  labels:
    acme.com/tier: "1"
  tags: [java, tier-2]
spec:
  type: service
  lifecycle: production
  owner: group:default/payments
  system: shop
"""
SERVICE = {
    "id": "PCHECK1",
    "type": "service",
    "summary": "Checkout (production)",
    "name": "Checkout (production)",
    "escalation_policy": {"id": "PEP1", "type": "escalation_policy_reference", "summary": "Payments on-call"},
    "teams": [{"id": "PT1", "type": "team_reference", "summary": "Payments"}],
    "integrations": [{"id": "PI1", "type": "events_api_v2_inbound_integration", "integration_key": "secret-key"}],
}


def rows(table) -> list[list[str | None]]:
    assert table.columns.tolist() == schema.OWNERSHIP.names
    return table.astype(object).where(table.notna(), None).values.tolist()


@pytest.fixture
def read(tmp_path):
    """Return a function that writes files and reads the folder they are in."""

    def read(files: dict[str, object]) -> list[list[str | None]]:
        for name, content in files.items():
            path = tmp_path / "shop" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content if isinstance(content, str) else json.dumps(content))
        return rows(read_ownership(tmp_path / "shop"))

    return read


def test_headers_are_matched_loosely(tmp_path):
    path = tmp_path / "catalog.csv"
    path.write_text(
        "\ufeffComponent;Squad;Repo;Pager;Criticality;Notes\n checkout ;payments;shop/checkout;;tier1;x\n;;;;;\n"
    )
    assert rows(read_ownership(path)) == [["checkout", "payments", "shop/checkout", None, "tier1"]]


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
        ("a.csv", b"service,team\na,b,c,d\ne,f\n\xff\xfe,\n", "a.csv, line 4: not text in UTF-8"),
        ("a.csv", b'service,team\na,"b"c\n', "not a CSV table"),
        ("a.yaml", b"service: x", "a.yaml: holds no catalogue; expected are Backstage"),
        ("a.yaml", b"", "the file is empty"),
        ("a.yaml", b"kind: Component\nmetadata: [\n", "a.yaml, line 3: not valid YAML"),
        ("a.yaml", b"a: 1\n---\nb: !!python/object/apply:os.system [x]\n", "a.yaml, line 3: not valid YAML .could not"),
        ("a.yaml", b"a: 2026-13-45\n", "a.yaml: not valid YAML .month must be"),
        ("a.yaml", b"a: \x00\x01", "a.yaml.* not valid YAML"),
        ("a.yaml", b"\x80\x81", "a.yaml, line 1: not text"),
        ("a.yaml", b"[" * 100_000, "a.yaml, line 1: nested over 100 deep"),
        ("a.yaml", b"- " * 100_000, "a.yaml, line 1: nested over 100 deep"),
        ("a.yaml", b"a: &a [*a]", r"alias \*a stands in itself"),
        ("a.yaml", b"a: *b", r"alias \*b stands in itself or nowhere"),
        ("a.json", b"[" * 100_000, "JSON that no catalogue is"),
        ("a.json", b'{"services": [\n{"id": ', "a.json, line 2: not valid JSON"),
        ("a.json", b'{"incidents": []}', "holds no catalogue"),
        ("a.json", b"\x1f\x8b\x08\x00", "not text in UTF-8"),
        ("a.xml", b"<a/>", "no reader for .xml"),
        ("CODEOWNERS", b"\xff\xff", "not text in UTF-8"),
    ],
)
def test_what_is_no_catalogue(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(SchemaError, match=message):
        read_ownership(path)


@pytest.mark.parametrize("use", ["[{}]", "{{<<: [{}]}}"], ids=["lists", "merges"])
def test_aliases_that_grow_without_end_are_refused(tmp_path, use):
    path = tmp_path / "a.yaml"
    lines = ["a0: &a0 {x: 1}"]
    lines += [f"a{i}: &a{i} " + use.format(", ".join([f"*a{i - 1}"] * 10)) for i in range(1, 12)]
    path.write_text("\n".join(lines))
    with pytest.raises(SchemaError, match=r"a.yaml, line \d: over 1,000,000 values once its aliases are put in"):
        read_ownership(path)


def test_file_that_is_too_large_is_refused(tmp_path):
    path = tmp_path / "a.yaml"
    with path.open("wb") as file:
        file.truncate(2**30)
    with pytest.raises(SchemaError, match="over 8 MB"):
        read_ownership(path)


def test_missing_file(tmp_path):
    with pytest.raises(SchemaError, match="No such file"):
        read_ownership(tmp_path / "none.csv")


@pytest.mark.parametrize("paths", [None, 7, [None], []])
def test_what_is_no_path(paths):
    with pytest.raises(ParameterError, match="pass a file, a folder or a list of them"):
        read_ownership(paths)


def test_lines_may_end_in_a_comma_or_be_short(tmp_path):
    path = tmp_path / "catalog.csv"
    path.write_text("service,team,tier\ncheckout,payments,1,\n\norders,fulfil\n")
    assert read_ownership(path)[["service", "team"]].values.tolist() == [["checkout", "payments"], ["orders", "fulfil"]]


def test_files_complete_each_other(read):
    found = read(
        {
            "owners.csv": "service,team\nCart,basket\n",
            "checkout/catalog-info.yaml": COMPONENT,
            "pagerduty.json": {"services": [SERVICE], "more": False},
            "service.datadog.yaml": "schema-version: v2.1\ndd-service: cart\ntier: high\n",
            ".github/CODEOWNERS": "/services/search/ @acme/search\n",
        }
    )
    assert found == [
        ["Cart", "basket", None, None, "high"],
        ["checkout", "payments", "acme/checkout", "Payments on-call", "1"],
        ["search", "search", None, None, None],
    ]


def test_first_kind_of_catalogue_counts_and_what_differs_is_told(tmp_path):
    (tmp_path / "owners.csv").write_text("service,team,tier\ncheckout,basket,1\n")
    (tmp_path / "catalog-info.yaml").write_text(COMPONENT)
    (tmp_path / "dd.yaml").write_text("schema-version: v2\ndd-service: Checkout\nteam: Basket\n")
    with pytest.warns(CatalogueWarning) as told:
        found = rows(read_ownership([tmp_path / n for n in ("dd.yaml", "catalog-info.yaml", "owners.csv")]))
    assert found == [["checkout", "basket", "acme/checkout", "pagerduty:PCHECK1", "1"]]
    [warning] = told
    assert str(warning.message) == (
        "catalogues differ, and the first named was taken: 'checkout' has team 'basket' "
        f"({tmp_path}/owners.csv) or 'payments' ({tmp_path}/catalog-info.yaml)"
    )
    assert warning.filename == __file__


def test_long_list_of_differences_is_cut(tmp_path):
    path = tmp_path / "owners.csv"
    path.write_text("service,team\n" + "".join(f"s{i},a\ns{i},b\n" for i in range(25)))
    with pytest.warns(CatalogueWarning, match="; and 15 more$"):
        assert len(read_ownership(path)) == 25


def test_spellings_of_one_repository_do_not_differ(read):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = read(
            {"a.csv": "service,team,repo\ncheckout,,https://github.com/acme/checkout.git\n", "b.yaml": COMPONENT}
        )
    assert found[0][:3] == ["checkout", "payments", "https://github.com/acme/checkout.git"]


def test_files_in_a_folder_that_are_no_catalogue_are_told(read, tmp_path):
    with pytest.warns(CatalogueWarning, match=r"passed over: .*broken.yaml, line 2.*; .*package.json: holds no cat"):
        found = read(
            {
                "a.yaml": COMPONENT,
                "package.json": "{}",
                "broken.yaml": "{{ x }}: [",
                "README.md": "x",
                ".hidden/b.csv": "service,team\na,b\n",
                "node_modules/c.csv": "service,team\na,b\n",
            }
        )
    assert [row[0] for row in found] == ["checkout"]


def test_folder_without_catalogue_is_an_error(tmp_path):
    with pytest.raises(SchemaError, match="no catalogue in this folder; pass the files"):
        read_ownership(tmp_path)
    (tmp_path / "a.json").write_text("{}")
    with pytest.raises(SchemaError, match=r"no catalogue in this folder: .*a.json: holds no catalogue"):
        read_ownership(tmp_path)


def test_file_named_twice_counts_once(tmp_path):
    (tmp_path / "catalog-info.yaml").write_text(COMPONENT)
    assert len(read_ownership([tmp_path, tmp_path / "catalog-info.yaml"])) == 1


def test_secrets_are_nowhere(read):
    found = str(read({"a.yaml": COMPONENT, "b.json": {"services": [SERVICE]}}))
    assert "0123456789abcdef" not in found
    assert "secret-key" not in found
