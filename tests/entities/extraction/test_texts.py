"""What texts name. Cases follow formats/entities.md and the messages of the libraries named beside them."""

from __future__ import annotations

import pytest

from stanza_lab.entities.extraction.fields import read_text


def said(text):
    """Return kind (type for resources), name and method of each reading; services named after resources aside."""
    return [
        (r.resource.type if r.kind == "resource" else r.kind, r.name, r.method)
        for r in read_text(text)
        if r.method != "arn-name"
    ]


CALLEES = [
    # Spring Cloud, Feign, RestTemplate, Resilience4j, Netty, JDBC
    ("IllegalStateException: No instances available for ts-food-service]", "ts-food-service"),
    ("Load balancer does not have available server for client: orders", "orders"),
    ("No servers available for service: inventory", "inventory"),
    ('I/O error on GET request for "http://pricing-svc:8080/v1": Connection refused', "pricing-svc"),
    ("[503 Service Unavailable] during [GET] to [http://orders/api/x] [OrdersClient#get(String)]", "orders"),
    ("CircuitBreaker 'payment-gateway' is OPEN and does not permit further calls", "payment-gateway"),
    ("AnnotatedConnectException: Connection refused: orders/10.2.3.4:8080", "orders"),
    ("java.net.UnknownHostException: cart-redis: Name or service not known", "cart-redis"),
    ("PSQLException: Connection to orders-pg:5432 refused. Check that the hostname is correct", "orders-pg"),
    ("Unable to connect to jdbc:postgresql://orders-pg:5432/orders?user=x", "orders-pg"),
    ("RedisConnectionException: Unable to connect to session-redis/<unresolved>:6379", "session-redis"),
    # Go and gRPC
    ("dial tcp: lookup payments on 10.0.0.10:53: no such host", "payments"),
    ("error: code = DeadlineExceeded desc = context deadline exceeded calling payment-service", "payment-service"),
    ("DNS resolution failed for shippingservice:50051", "shippingservice"),
    ("upstream connect error to cartservice:7070", "cartservice"),
    # Node
    ("Error: getaddrinfo ENOTFOUND orders-db orders-db:5432", "orders-db"),
    ("Error: getaddrinfo EAI_AGAIN redis", "redis"),
    ("request to user-service failed, reason: connect ETIMEDOUT", "user-service"),
    # Python: psycopg, requests, urllib3, redis, pymysql, pymongo, pika
    ('could not translate host name "orders-db" to address: Name or service not known', "orders-db"),
    ('Is the server running on host "billing-db" (172.18.0.3) and accepting TCP/IP connections', "billing-db"),
    ('connection to server at "db-main" (10.0.0.12), port 5432 failed: FATAL: sorry', "db-main"),
    ("HTTPConnectionPool(host='recommendation', port=8080): Max retries exceeded", "recommendation"),
    ("NewConnectionError: Failed to resolve 'catalogue' ([Errno -2] Name or service not known)", "catalogue"),
    ("ConnectionError: Error 111 connecting to cart-redis:6379. Connection refused.", "cart-redis"),
    ("(2003, \"Can't connect to MySQL server on 'orders-mysql' (111)\")", "orders-mysql"),
    ("ServerSelectionTimeoutError: mongo-carts:27017: [Errno 111] Connection refused", "mongo-carts"),
    ("AMQPConnectionError: Connection to rabbit-1:5672 failed", "rabbit-1"),
    ("AMQP server on rabbitmq:5672 is unreachable: [Errno 111] Connection refused", "rabbitmq"),
    # curl, nginx, Envoy, Kafka
    ("curl: (6) Could not resolve host: currency", "currency"),
    ("curl: (7) Failed to connect to currency port 7000: Connection refused", "currency"),
    ('host not found in upstream "backend-api" in /etc/nginx/conf.d/default.conf:12', "backend-api"),
    ("outbound|8080|v1|reviews.default.svc.cluster.local upstream reset", "reviews"),
    ("Connection to node 1 (kafka-1/10.2.4.5:9092) could not be established", "kafka-1"),
    ("kafka-0:9092/bootstrap: Connect to broker failed", None),
    # words of people
    ("OperationalError: connection refused to db-orders:5432", "db-orders"),
    ("failed to call payments: 503", "payments"),
    ("failed to reach the inventory service", "inventory"),
    ("call to payments timed out after 3000 ms", "payments"),
    ("upstream recommendation timed out", "recommendation"),
    ("the upstream service ratings returned 500", "ratings"),
    ("received 503 from payments-api", "payments-api"),
    ("orders-db: connection reset by peer", "orders-db"),
    ("timeout waiting for orders-api", "orders-api"),
    ("circuit breaker open for inventory-service", "inventory-service"),
]


@pytest.mark.parametrize(("text", "name"), CALLEES)
def test_callees(text, name):
    found = [(r.name, r.method) for r in read_text(text) if r.kind == "service"]
    assert found == ([(name, "callee")] if name else [])


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("dial tcp 10.1.2.3:5432: connect: connection refused", "10.1.2.3"),
        ("Error: connect ECONNREFUSED 10.0.0.1:5432", "10.0.0.1"),
        ("read tcp 10.1.1.1:43210->10.2.2.2:5432: read: connection reset by peer", "10.2.2.2"),
        ("HTTPSConnectionPool(host='api.stripe.com', port=443): Read timed out.", "api.stripe.com"),
        ("ConnectException: Failed to connect to /10.3.2.1:8080", "10.3.2.1"),
        ("Failed to connect to payments-redis.cache.internal:6379", "payments-redis.cache.internal"),
        (
            'connect() failed while connecting to upstream, client: 10.1.2.3, upstream: "http://10.0.0.7:8080/"',
            "10.0.0.7",
        ),
    ],
)
def test_a_callee_by_full_name_or_address_is_a_host(text, host):
    assert [s for s in said(text) if s[2] == "callee"] == [("host", host, "callee")]


def test_a_callee_named_better_is_told_so():
    text = "could not connect to server: orders-1.c9akciq32.us-east-1.rds.amazonaws.com"
    assert said(text) == [("rds:db", "orders-1", "host")]


NAMED = [
    # ARNs, ids, hosts, log groups, dimensions
    ("on arn:aws:rds:eu-west-1:123456789012:db:orders.", [("rds:db", "orders", "arn")]),
    ("log group /aws/lambda/resize-images has errors", [("lambda:function", "resize-images", "log-group")]),
    ("/aws/rds/instance/orders-db/error", [("rds:db", "orders-db", "log-group")]),
    ("in /ecs/checkout", [("logs:log-group", "/ecs/checkout", "log-group")]),
    ("DBInstanceIdentifier: orders-1", [("rds:db", "orders-1", "key-value")]),
    ("LoadBalancer: app/shop/50dc6c495c0c9188", [("elasticloadbalancing:loadbalancer", "shop", "key-value")]),
    ("s3://acme-invoices/2026/a.pdf is gone", [("s3:bucket", "acme-invoices", "host")]),
    ("jdbc:mysql://orders.cluster-abc1.eu-west-1.rds.amazonaws.com:3306/db", [("rds:cluster", "orders", "host")]),
    ("DISK at 99% on prod-pipe03.example.com:", [("host", "prod-pipe03.example.com", "text-host")]),
    ("slow {host:web-2}", [("host", "web-2", "key-value")]),
    # Kubernetes
    ("Pod shop/checkout-api-7d9f8b6c5d-x2x4k (checkout)", [
        ("pod", "checkout-api-7d9f8b6c5d-x2x4k", "pod"), ("service", "checkout-api", "pod")]),
    ("pod orders-db-0 is not ready", [("pod", "orders-db-0", "pod"), ("service", "orders-db", "pod")]),
    ("pod=fluent-bit-x7k2p", [("pod", "fluent-bit-x7k2p", "pod"), ("service", "fluent-bit", "pod")]),
    ("checkout.shop.svc unreachable", [("service", "checkout", "host")]),
    ("Deployment shop/checkout has not matched", [("service", "checkout", "key-value")]),
    ("kubectl rollout undo deployment/orders-api", [("service", "orders-api", "key-value")]),
    ("kubelet stopped posting on ip-10-20-3-41.ec2.internal", [("host", "ip-10-20-3-41.ec2.internal", "text-host")]),
    ("gke-prod-default-pool-1a2b3c4d-x7k2 not ready", [("host", "gke-prod-default-pool-1a2b3c4d-x7k2", "text-host")]),
    ("node aks-nodepool1-12345678-vmss000001", [("host", "aks-nodepool1-12345678-vmss000001", "text-host")]),
    # service, environment, team
    ("High latency {alertname=High latency, service=checkout}", [("service", "checkout", "key-value")]),
    ('{"service":"orders","env":"prod"}', [("service", "orders", "key-value"), ("environment", "prod", "key-value")]),
    ('service "orders-api" has no endpoints', [("service", "orders-api", "key-value")]),
    ("Service: checkout", [("service", "checkout", "key-value")]),
    ("service=checkout team=payments", [("service", "checkout", "key-value"), ("team", "payments", "key-value")]),
    # URLs, images, repositories
    ("https://shop.example.com/cart?x=1#y is slow", [("url", "https://shop.example.com/cart", "url")]),
    ("http://checkout.shop.svc.cluster.local:8080/health", [
        ("url", "http://checkout.shop.svc.cluster.local:8080/health", "url"), ("service", "checkout", "host")]),
    ('pulling image "ghcr.io/acme/checkout:1.4.2"', [("image", "ghcr.io/acme/checkout:1.4.2", "image")]),
    ("image nginx:1.25 not found", [("image", "nginx:1.25", "image")]),
    ("123456789012.dkr.ecr.eu-west-1.amazonaws.com/checkout:1.4", [
        ("image", "123456789012.dkr.ecr.eu-west-1.amazonaws.com/checkout:1.4", "image")]),
    ("https://github.com/acme/checkout/pull/12 merged", [("repository", "acme/checkout", "repository")]),
    ("git@github.com:acme/checkout.git", [("repository", "acme/checkout", "repository")]),
    ("https://gitlab.com/acme/pay/api/-/pipelines/1", [("repository", "acme/pay/api", "repository")]),
    # traces
    ("traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", [
        ("trace", "4bf92f3577b34da6a3ce929d0e0e4736", "trace")]),
    ("X-Amzn-Trace-Id: Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1", [
        ("trace", "1-5759e988-bd862e3fe1be46a994272793", "trace")]),
    ("dd.trace_id=1234567890123456789 dd.span_id=987", [("trace", "1234567890123456789", "trace")]),
    ('trace_id="4BF92F3577B34DA6A3CE929D0E0E4736"', [("trace", "4bf92f3577b34da6a3ce929d0e0e4736", "trace")]),
    ("[orders,4bf92f3577b34da6,00f067aa0ba902b7]", [
        ("service", "orders", "key-value"), ("trace", "4bf92f3577b34da6", "trace")]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), NAMED)
def test_named(text, expected):
    assert said(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        # notification targets and tools
        "notify @pagerduty-payments @slack-alerts #team-payments jane@shop.example.com",
        "told arn:aws:sns:eu-west-1:123456789012:pages",
        "See https://app.datadoghq.com/monitors/1, https://grafana.example.com/d/a/b, https://wiki.example.com/rb",
        "runbook: https://ops.example.com/checkout",
        "https://console.aws.amazon.com/cloudwatch/home?region=us-east-1#alarm:name=Example",
        # probe and client addresses
        "client: 10.1.2.3, remote_addr=shop.example.com x-forwarded-for: 203.0.113.9",
        'Readiness probe failed: Get "http://10.2.3.4:8080/healthz": dial tcp 10.2.3.4:8080: connect: refused',
        "read tcp 10.1.1.1:8080->10.2.2.2:43210: read: connection reset by peer",
        "connect ECONNREFUSED 127.0.0.1:3000",
        # residue, states, versions
        "{{host.name}}.example.com ${x} service:{{service.name}} <no value>",
        "Service: unavailable",
        "service is down",
        "deployment: v1.2.3",
        "version 1.2.3 build 2024.05.14 commit 17642328ead24b51867165985996d04b29310337",
        # files, classes, metrics, nouns
        'File "/app/orders/views.py", line 12, in get at com.acme.orders.OrderController(OrderController.java:42)',
        "java.net.SocketTimeoutException: Read timed out at java.net.SocketInputStream",
        "value of aws.rds.cpuutilization.average and system.disk.io",
        "kubernetes.io/ingress annotation",
        "failed to connect to database",
        "unable to reach consensus",
        "unable to resolve dependency tree",
        "timeout waiting for response",
        "psycopg2.OperationalError: connection refused",
        "upstream connect error or disconnect/reset before headers. reset reason: connection failure",
        "request to /api/v1/orders failed with 500",
        "error while executing query on table users",
        "backend-grpcsvc-https and web-1 are hosts",
        "pod restarts are high, pod gateway-https",
        "Task timed out after 3.00 seconds",
        "job=kube-state-metrics service=node-exporter",
    ],
)
def test_nothing_is_named(text):
    assert said(text) == []


def test_places_are_those_of_the_names():
    text = "é: dial tcp: lookup payments on 10.0.0.10:53; GET https://user:pw@api.example.com/v1?x failed"
    found = [(r.kind, text[r.start : r.end]) for r in read_text(text)]
    assert found == [
        ("service", "payments"),
        ("url", "https://user:pw@api.example.com/v1"),
        ("resource", "api.example.com"),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # Slack and Markdown, keys of log lines, JSON
        ("*Service:* pick-list\n*Environment:* prod", [("service", "pick-list"), ("environment", "prod")]),
        ("*Service:*\n`pick-list`", [("service", "pick-list")]),
        ("**Service**: pick-list **Env**: staging", [("service", "pick-list"), ("environment", "staging")]),
        ("<b>Service:</b> pick-list", [("service", "pick-list")]),
        ("*Team:* vision-ai", [("team", "vision-ai")]),
        ('team="Payments Core"', [("team", "Payments Core")]),
        ("dd.env=prod dd.service=tip-jar dd.version=1.2", [("environment", "prod"), ("service", "tip-jar")]),
        ('resource.service.name="tip-jar"', [("service", "tip-jar")]),
        ('"service": {"name": "tip-jar"}', [("service", "tip-jar")]),
        ("Affected service: cart-api", [("service", "cart-api")]),
        ("service=voting.emoji.svc.cluster.local", [("service", "voting")]),
        # a query that leaves out, one of many, labels that name no service
        ("{env:prod,!service:batch}", [("environment", "prod")]),
        ("NOT service:cart", []),
        ("service:cart-* is slow", []),
        ('{namespace="shop"}', []),
        # pods as the kubelet writes them
        ("failed container in pod cart-7d9f8b6c5d-x2x4k_shop(0ae1)", [
            ("pod", "cart-7d9f8b6c5d-x2x4k"), ("service", "cart")]),
        ("10-0-1-7.shop.pod.cluster.local", []),
        # traces and repositories
        ("b3: 80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1", [("trace", "80f198ee56343ba864fe8b2a57d3eff7")]),
        ("sentry-trace: 4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7", [
            ("trace", "4bf92f3577b34da6a3ce929d0e0e4736")]),
        ('"trace":"projects/my-proj/traces/4bf92f3577b34da6a3ce929d0e0e4736"', [
            ("trace", "4bf92f3577b34da6a3ce929d0e0e4736")]),
        ("see https://gitlab.acme.internal/data/etl/nightly/-/jobs/5", [("repository", "data/etl/nightly")]),
        ("runbook: https://github.com/acme/runbooks/blob/main/a.md", []),
        ("**arn:aws:ecs:us-east-1:123456789012:service/ads/bid** restarts", [("ecs:service", "ads/bid")]),
    ],
)  # fmt: skip
def test_how_tools_write(text, expected):
    assert [found[:2] for found in said(text)] == expected
