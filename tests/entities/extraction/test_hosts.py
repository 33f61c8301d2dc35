"""Host names: which words are hosts, which hosts are tools."""

from __future__ import annotations

import pytest

from stanza_lab.entities.extraction.hosts import is_host, is_loopback, is_tool, service_of, without_port


@pytest.mark.parametrize(
    "name",
    ["web-1.prod.example.com", "WEB-1.prod.example.com", "ip-10-1-2-3.ec2.internal", "example.com", "db.shop.dev"],
)
def test_hosts(name):
    assert is_host(name)


@pytest.mark.parametrize(
    "name",
    ["web-1", "com.acme.orders.io", "java.net", "System.Net", "OrderService.internal", "app.py", "1.2.3", "socket.io",
     "system.disk.io", "kubernetes.io", "trace.id", "a" * 300 + ".com"],
)  # fmt: skip
def test_what_is_no_host(name):
    assert not is_host(name)


@pytest.mark.parametrize(
    ("host", "tool"),
    [
        ("app.datadoghq.com", True), ("grafana.shop.example.com", True), ("prod-prometheus.example.com", True),
        ("wiki.example.com", True), ("acme.pagerduty.com", True), ("eu-west-1.console.aws.amazon.com", True),
        ("shop.example.com", False), ("api.wiki-orders.com", False), ("temporal.example.com", False),
    ],
)  # fmt: skip
def test_tools(host, tool):
    assert is_tool(host) is tool


def test_services_in_the_dns_of_a_cluster():
    assert service_of("orders.shop.svc") == "orders"
    assert service_of("orders-db-0.orders-db.shop.svc.cluster.local") == "orders-db"
    assert service_of("orders.shop.example.com") is None


def test_ports_and_the_machine_itself():
    assert [without_port(host) for host in ("web-1:9100", "[::1]:80", "web-1", "a:b")] == [
        "web-1",
        "::1",
        "web-1",
        "a:b",
    ]
    assert [is_loopback(host) for host in ("localhost", "127.0.0.1", "::1", "10.0.0.1")] == [True, True, True, False]
