"""What an alert says is wrong: names of vendors' default alerts and metrics, written from general knowledge."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import stanza_lab as sl
from stanza_lab.errors import SchemaError
from stanza_lab.simulate.monitors import RULES

NAMES = {
    "latency": (
        "APIGateway IntegrationLatency", "TargetResponseTime", "AWS/RDS ReadLatency", "WriteLatency",
        "AWS/Lambda Duration", "ExecutionsTimedOut", "SuccessfulRequestLatency", "etcdHighFsyncDurations",
        "etcdHighCommitDurations", "KubeAPILatencyHigh", "HighRequestLatency", "PrometheusSlowQueries",
        "CoreDNSLatencyHigh", "Low Apdex score", "Response time (web)", "[Triggered] High p99 latency on checkout",
        "Latency threshold", "TimeoutError", "ReadTimeout: HTTPSConnectionPool(host='x', port=443)",
        "context deadline exceeded", "DeadlineExceeded: 504", "Slow page loads", "SLO burn rate: latency of search",
        "java.net.SocketTimeoutException: Read timed out", "95th percentile above 2 s", "checkout is slow",
        "Largest Contentful Paint regressed",
    ),
    "errors": (
        "5XXError", "HTTPCode_Target_5XX_Count", "HTTPCode_ELB_5XX_Count", "4XXError", "SystemErrors", "UserErrors",
        "AWS/Lambda Errors", "DeadLetterErrors", "ExecutionsFailed", "HighErrorRate", "KubeJobFailed",
        "KubeAPIErrorBudgetBurn", "PrometheusRuleFailures", "etcdHighNumberOfFailedGRPCRequests",
        "NodeNetworkReceiveErrs", "Error rate above 2%", "Failed transaction rate threshold", "Error count threshold",
        "High error percentage", "TypeError: Cannot read properties of undefined", "NullPointerException",
        "ValueError: invalid literal", "ServiceUnavailableException: payments", "KeyError: 'total'",
        "Synthetic test failing", "AlertmanagerFailedToSendAlerts", "orders-dlq has messages in dead letter queue",
        "Client Error 404 rate", "upstream responded with 503", "TargetConnectionErrorCount",
    ),
    "saturation": (
        "CPUUtilization", "prod-orders-db-cpu-high", "FreeStorageSpace", "FreeableMemory", "DatabaseConnections",
        "DiskQueueDepth", "SwapUsage", "BurstBalance", "CPUCreditBalance", "ThrottledRequests", "ReadThrottleEvents",
        "Throttles", "ConcurrentExecutions", "ApproximateAgeOfOldestMessage", "AgeOfOldestMessage",
        "IteratorAgeMilliseconds", "ApproximateNumberOfMessagesVisible", "SpilloverCount", "SurgeQueueLength",
        "RejectedConnectionCount", "Evictions", "JVMMemoryPressure", "EngineCPUUtilization", "ReplicaLag",
        "CPUThrottlingHigh", "KubeHpaMaxedOut", "KubeQuotaExceeded", "KubeCPUOvercommit",
        "NodeFilesystemAlmostOutOfSpace", "NodeFilesystemSpaceFillingUp", "NodeFileDescriptorLimit",
        "KubePersistentVolumeFillingUp", "KubeletTooManyPods", "ContainerOOMKilled",
        "PrometheusNotificationQueueRunningFull", "MySQLTooManyConnections", "RedisOutOfMemory", "KafkaConsumerLag",
        "PostgresqlDeadLocks", "Memory usage above 90%", "Thread pool search rejections", "High CPU", "MemoryError",
        "ConnectionError: pool exhausted", "OSError: [Errno 28] No space left on device",
        "ThrottlingException: Rate exceeded", "TimeoutError: QueuePool limit of size 5 overflow 10 reached",
        "Disk usage is high", "RabbitMQ queue depth",
    ),
    "availability": (
        "UnHealthyHostCount", "HealthyHostCount", "StatusCheckFailed_System", "ClusterStatus.red",
        "OfflinePartitionsCount", "UnderReplicatedPartitions", "KubePodCrashLooping", "KubePodNotReady",
        "KubeDeploymentReplicasMismatch", "KubeStatefulSetReplicasMismatch", "KubeNodeNotReady",
        "KubeNodeUnreachable", "KubeletDown", "KubeAPIDown", "KubeContainerWaiting", "KubeDaemonSetMisScheduled",
        "KubeDeploymentRolloutStuck", "TargetDown", "InstanceDown", "etcdNoLeader", "etcdMembersDown",
        "etcdInsufficientMembers", "PrometheusTargetMissing", "BlackboxProbeFailed",
        "[No Data] High p99 latency on checkout", "Host not reporting", "Signal lost", "Container restarts",
        "Pods restarting", "ImagePullBackOff", "Uptime monitor is down", "Missing monitoring data",
        "orders-db failover", "Health check timed out", "NodeRAIDDegraded", "Service unavailable",
        "RDS instance rebooted", "Redis master disconnected",
    ),
    "traffic": (
        "RequestCount", "Low application throughput", "Traffic dropped by 50%", "Request rate is down", "NetworkIn",
        "AWS/Lambda Invocations", "Abnormal change in hits", "NumberOfMessagesSent", "No requests in 10 minutes",
        "Spike in traffic", "BytesInPerSec", "Orders per minute: orders dropped",
    ),
    None: (
        "Watchdog", "InfoInhibitor", "KubeClientCertificateExpiration", "NodeClockSkewDetected",
        "TLS certificate expires", "checkout", "", "Every new issue", "KubeVersion", "New deploy",
    ),
}  # fmt: skip
CASES = [(name, symptom) for symptom, names in NAMES.items() for name in names]
SIMULATED = {"restarts": "availability"}


def _symptom(**columns: str | None) -> str | None:
    told = sl.classify_symptoms(pd.DataFrame({name: [value] for name, value in columns.items()})).iloc[0]
    return None if pd.isna(told) else str(told)


@pytest.mark.parametrize(("name", "symptom"), CASES, ids=[name for name, _ in CASES])
def test_default_alerts_of_vendors(name: str, symptom: str | None) -> None:
    assert _symptom(alertname=name) == symptom


@pytest.mark.parametrize("rule", RULES, ids=[rule.name for rule in RULES])
def test_monitors_of_the_simulation(rule) -> None:
    if rule.name == "replication-lag":
        pytest.skip("a replica that lags is a backlog here; the simulation lets it follow a lost node")
    assert _symptom(alertname=rule.name) == SIMULATED.get(rule.symptom, rule.symptom)


def test_name_comes_before_metric_before_summary_before_description() -> None:
    metric = '{"metric":"CPUUtilization"}'
    assert _symptom(alertname="5xx", labels=metric, summary="slow", description="down") == "errors"
    assert _symptom(alertname="orders", labels=metric, summary="slow", description="down") == "saturation"
    assert _symptom(alertname="orders", labels='{"region":"cpu"}', summary="slow", description="down") == "latency"
    assert _symptom(alertname=None, labels=None, summary=None, description="down") == "availability"


def test_name_of_the_service_is_no_symptom() -> None:
    assert _symptom(alertname="error-tracker: CPU high", service="error-tracker") == "saturation"
    assert _symptom(alertname="prod-traffic-queue-latency", service="traffic-queue") == "latency"
    assert _symptom(alertname="ErrorTracker", service="error_tracker") is None


def test_severity_in_front_is_no_symptom() -> None:
    assert _symptom(alertname="[Error] Disk almost full") == "saturation"
    assert _symptom(alertname="ERROR: instance down") == "availability"
    assert _symptom(alertname="Errors: many") == "errors"


def test_index_categories_and_argument_are_kept() -> None:
    alerts = pd.DataFrame({"alertname": ["High CPU", None, "High CPU"]}, index=[7, 3, 7])
    before = alerts.copy()
    told = sl.classify_symptoms(alerts)
    assert told.name == "symptom"
    assert told.index.tolist() == [7, 3, 7]
    assert told.cat.categories.tolist() == ["latency", "errors", "saturation", "availability", "traffic"]
    assert told.isna().tolist() == [False, True, False]
    pd.testing.assert_frame_equal(alerts, before)


def test_no_alerts_and_no_column_that_tells() -> None:
    assert sl.classify_symptoms(pd.DataFrame({"alertname": pd.Series([], dtype="str")})).empty
    with pytest.raises(SchemaError, match=r"none of the columns .* rename the one"):
        sl.classify_symptoms(pd.DataFrame({"name": ["High CPU"]}))


@given(st.lists(st.tuples(st.text(max_size=30), st.one_of(st.none(), st.text(max_size=8))), max_size=8))
def test_any_text_is_read_and_rows_do_not_influence_each_other(rows) -> None:
    alerts = pd.DataFrame(rows, columns=["alertname", "service"]).astype("str")
    together = sl.classify_symptoms(alerts).astype("str").tolist()
    alone = [sl.classify_symptoms(alerts.iloc[[i]]).astype("str").iloc[0] for i in range(len(alerts))]
    assert pd.Series(together, dtype="str").equals(pd.Series(alone, dtype="str"))
