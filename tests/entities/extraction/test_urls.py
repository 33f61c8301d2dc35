"""URLs, images and repositories."""

from __future__ import annotations

import pytest

from stanza_lab.entities.extraction.urls import find_images, find_urls, read_image, read_repository


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("at https://shop.example.com:8443/a/b?c=d#e.", ["https://shop.example.com:8443/a/b"]),
        ("https://user:pw@api.example.com/v1, then", ["https://api.example.com/v1"]),
        ("amqp://rabbit:5672/vhost", ["amqp://rabbit:5672/vhost"]),
        ("http://[fd00::1]:80/x", ["http://[fd00::1]:80/x"]),
        ("http://localhost:9090/graph file:///etc/passwd https://{{host}}/x", []),
    ],
)
def test_urls(text, names):
    assert [url.name for url in find_urls(text)] == names


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("https://github.com/acme/checkout/pull/12", "acme/checkout"),
        ("git@github.com:acme/checkout.git", "acme/checkout"),
        ("ssh://git@bitbucket.org/acme/checkout.git", "acme/checkout"),
        ("https://gitlab.example.com/acme/pay/api/-/issues/1", "acme/pay/api"),
        ("acme/checkout", "acme/checkout"),
        ("https://github.com/orgs/acme/projects", None),
        ("checkout", None),
    ],
)
def test_repositories(value, name):
    assert read_repository(value) == name


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("ghcr.io/acme/checkout:1.4.2", ["ghcr.io/acme/checkout:1.4.2"]),
        ("acme/checkout@sha256:" + "a" * 64, ["acme/checkout@sha256:" + "a" * 64]),
        ("registry.example.com:5000/acme/checkout:v1", ["registry.example.com:5000/acme/checkout:v1"]),
        ("shop.example.com/cart is slow", []),
    ],
)
def test_images(text, names):
    assert [name for _, _, name in find_images(text)] == names


def test_whole_images():
    assert read_image("docker-pullable://nginx:1.25") == "nginx:1.25"
    assert read_image("sha256:" + "a" * 64) is None
    assert read_image("not an image") is None
