"""Declared dependencies in the files of catalogues."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import stanza_lab as sl
from stanza_lab.dependencies.overlay import DeclaredEdgesWarning
from stanza_lab.errors import ParameterError, SchemaError

CATALOGUE = """
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: checkout}
spec:
  type: service
  dependsOn: ["resource:default/orders-db", "component:payments", "component:default/logging-lib"]
  consumesApis: [orders-api, "api:shop/stock-api"]
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: orders}
spec: {type: service, providesApis: ["api:default/orders-api"], dependencyOf: ["component:web"]}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: stock}
spec: {type: service, providesApis: [stock-api], consumesApis: [stock-api]}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: logging-lib}
spec: {type: library, dependsOn: ["resource:log-store"]}
---
apiVersion: backstage.io/v1alpha1
kind: System
metadata: {name: shop}
spec: {owner: group:default/shop}
"""


def read(folder: Path, name: str, text: str) -> list[list[str]]:
    (folder / name).write_text(text)
    return sl.read_declared_edges(folder / name)[["src", "dst", "told_by"]].values.tolist()


def test_backstage_entities(tmp_path) -> None:
    assert read(tmp_path, "catalog-info.yaml", CATALOGUE) == [
        ["checkout", "orders", "consumesApis"],
        ["checkout", "orders-db", "dependsOn"],
        ["checkout", "payments", "dependsOn"],
        ["checkout", "stock", "consumesApis"],
        ["web", "orders", "dependencyOf"],
    ]


def test_relations_of_the_backstage_api(tmp_path) -> None:
    relations = [
        {"type": "dependsOn", "targetRef": "resource:default/db"},
        {"type": "consumesApi", "targetRef": "api:default/a"},
        {"type": "ownedBy", "targetRef": "group:default/shop"},
        {"type": "dependsOn"},
        "odd",
    ]
    entity = {"apiVersion": "backstage.io/v1beta1", "kind": "Component"}
    web = entity | {"metadata": {"name": "web"}, "spec": {"dependsOn": ["resource:db"]}, "relations": relations}
    api = entity | {"metadata": {"name": "a-svc"}, "relations": [{"type": "providesApi", "targetRef": "api:default/a"}]}
    assert read(tmp_path, "entities.json", json.dumps({"items": [web, api]})) == [
        ["web", "a-svc", "consumesApis"],
        ["web", "db", "dependsOn"],
    ]


def test_datadog_entities(tmp_path) -> None:
    text = (
        "apiVersion: v3\nkind: service\nmetadata: {name: web}\nspec: {dependsOn: ['service:orders', 'datastore:db']}\n"
    )
    assert read(tmp_path, "service.datadog.yaml", text) == [["web", "db", "dependsOn"], ["web", "orders", "dependsOn"]]


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("src,dst\nweb,db\nweb,db\nweb,web\nweb,\n", [["web", "db", "table"]]),
        ("Service;Depends On\nweb;db cache\n", [["web", "cache", "table"], ["web", "db", "table"]]),
        ("team,Caller,Callee\nx,web,db\n", [["web", "db", "table"]]),
    ],
)
def test_tables(tmp_path, text: str, pairs: list[list[str]]) -> None:
    assert read(tmp_path, "calls.csv", text) == pairs


def test_a_provider_may_stand_in_another_file_and_says_which_file_told(tmp_path) -> None:
    head = "apiVersion: backstage.io/v1alpha1\nkind: Component\n"
    (tmp_path / "a.yaml").write_text(head + "metadata: {name: web}\nspec: {consumesApis: [orders-api]}\n")
    (tmp_path / "b.yaml").write_text(head + "metadata: {name: orders}\nspec: {providesApis: [Orders_API]}\n")
    found = sl.read_declared_edges([tmp_path / "a.yaml", tmp_path / "b.yaml"])
    assert found.values.tolist() == [["web", "orders", "consumesApis", str(tmp_path / "a.yaml")]]


def test_an_api_nobody_provides_and_files_that_are_none_are_told(tmp_path) -> None:
    head = "apiVersion: backstage.io/v1alpha1\nkind: Component\n"
    (tmp_path / "a.yaml").write_text(head + "metadata: {name: web}\nspec: {consumesApis: [lost-api]}\n")
    (tmp_path / "other.json").write_text('{"a": 1}')
    with pytest.warns(DeclaredEdgesWarning) as told:
        assert sl.read_declared_edges(tmp_path).empty
    assert ["lost-api" in str(told[0].message), "other.json" in str(told[1].message)] == [True, True]


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.csv", "a,b\n1,2\n", "no columns for"), ("a.yaml", "a: 1\n", "holds no entities"),
        ("a.yaml", "a: [", "not valid YAML"), ("a.json", "", "empty"), ("a.txt", "x", "no reader"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_catalogue_is_refused(tmp_path, name: str, text: str, says: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(SchemaError, match=says):
        sl.read_declared_edges(tmp_path / name)


def test_yaml_is_read_safely(tmp_path) -> None:
    (tmp_path / "a.yaml").write_text("!!python/object/apply:os.system ['false']")
    with pytest.raises(SchemaError, match="YAML"):
        sl.read_declared_edges(tmp_path / "a.yaml")


def test_folders_without_a_catalogue_and_what_is_no_path_are_refused(tmp_path) -> None:
    with pytest.raises(SchemaError, match="no file here"):
        sl.read_declared_edges(tmp_path)
    for wrong in ([], 3):
        with pytest.raises(ParameterError, match="path"):
            sl.read_declared_edges(wrong)
