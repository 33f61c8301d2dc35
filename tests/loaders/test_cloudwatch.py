from __future__ import annotations

import json

import pandas as pd
import pytest

ARN = "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:cpu high"


def history(old="OK", new="ALARM", **fields):
    """Return an item of describe-alarm-history."""
    data = {"oldState": {"stateValue": old}, "newState": {"stateValue": new, "stateReason": "Threshold Crossed"}}
    item = {"AlarmName": "cpu high", "Timestamp": "2026-03-01T14:02:11.790Z", "HistoryItemType": "StateUpdate"}
    return {"AlarmHistoryItems": [{**item, "HistoryData": json.dumps(data), **fields}]}


def eventbridge(old="OK", new="ALARM", dimensions=None, **fields):
    """Return an EventBridge event."""
    metric = {"namespace": "AWS/EC2", "name": "CPU", "dimensions": dimensions or {"InstanceId": "i-1"}}
    detail = {
        "alarmName": "cpu high",
        "state": {"value": new, "reason": "Threshold Crossed", "timestamp": "2026-03-01T14:02:11.790+0000"},
        "previousState": {"value": old},
        "configuration": {"description": "CPU of the shop", "metrics": [{"metricStat": {"metric": metric}}]},
    }
    envelope = {"source": "aws.cloudwatch", "detail-type": "CloudWatch Alarm State Change", "id": "93ff"}
    return {
        **envelope,
        "account": "123456789012",
        "region": "eu-west-1",
        "resources": [ARN],
        "detail": detail,
        **fields,
    }


def sns(old="OK", new="ALARM", **fields):
    """Return the Lambda event of an SNS message."""
    trigger = {"Namespace": "AWS/EC2", "MetricName": "CPU", "Dimensions": [{"name": "InstanceId", "value": "i-1"}]}
    message = {"AlarmName": "cpu high", "AlarmArn": ARN, "OldStateValue": old, "NewStateValue": new, "Trigger": trigger}
    message |= {"StateChangeTime": "2026-03-01T14:02:11.790+0000", "NewStateReason": "Threshold Crossed", **fields}
    topic = "arn:aws:sns:eu-west-1:123456789012:on-call"
    return {"Records": [{"Sns": {"MessageId": "m-1", "TopicArn": topic, "Message": json.dumps(message)}}]}


@pytest.mark.shared
def test_real_state_change(shared, event) -> None:
    line = (shared / "data/petshop_low/alerts/cloudwatch_eventbridge.ndjson").read_text().partition("\n")[0]
    got = event(line)
    alarm = "petadoptions/Evidently [AWS::Evidently] LatencyP99High"
    arn = f"arn:aws:cloudwatch:us-west-2:123456789012:alarm:{alarm}"
    assert json.loads(got.pop("raw")) == json.loads(line)
    assert json.loads(got.pop("labels")) == {
        "account": "123456789012",
        "alarm_arn": arn,
        "dimensions": {"ServiceName": "Evidently", "ServiceType": "AWS::Evidently"},
        "metric": "latency",
        "namespace": "PetAdoptions/XRay",
        "new_state": "ALARM",
        "old_state": "OK",
        "region": "us-west-2",
    }
    assert got.pop("summary").startswith("Threshold Crossed: 1 out of the last 1 datapoints [0.5989")
    assert got == {
        "source": "cloudwatch",
        "event_id": f"{alarm}|2023-04-18T17:32:18.790Z",
        "native_ids": ["93ff980b-d9f2-a320-b554-dac80cb1c249"],
        "rule_key": arn,
        "at": pd.Timestamp("2023-04-18T17:32:18.790Z"),
        "time_source": "event",
        "kind": "fired",
        "has_recovery": True,
        "alertname": alarm,
        "description": "LatencyP99High on Evidently (AWS::Evidently), region us-west-2, application petadoptions",
        "service": "Evidently",
        "resources": [],
        "trace_ids": [],
    }


@pytest.mark.shared
def test_sample_history(shared, read) -> None:
    batch = read((shared / "formats/samples/cloudwatch/synthetic_describe_alarm_history.json").read_bytes())
    assert batch.ignored == {"cloudwatch action": 1, "cloudwatch configuration change": 1}
    assert batch.events[["event_id", "rule_key", "kind"]].to_numpy().tolist() == [
        ["rds-orders-prod-1-cpu|2024-05-14T14:29:55.412Z", "rds-orders-prod-1-cpu", "resolved"],
        ["rds-orders-prod-1-cpu|2024-05-14T14:01:55.412Z", "rds-orders-prod-1-cpu", "fired"],
        ["orders-events-dlq-depth|2024-05-14T14:20:02.412Z", "orders-events-dlq-depth", "resolved"],
        ["orders-events-dlq-depth|2024-05-14T14:06:02.412Z", "orders-events-dlq-depth", "fired"],
        ["shop-degraded|2024-05-14T14:04:10.412Z", "shop-degraded", "fired"],
        [
            "ec2-fleet-cpu-by-instance|6f5a2f2e1b8c4d10|2024-05-14T14:07:00.412Z",
            "ec2-fleet-cpu-by-instance|6f5a2f2e1b8c4d10",
            "fired",
        ],
    ]
    assert batch.events["resources"].tolist()[-1] == ["i-0a1b2c3d4e5f67890"]
    assert json.loads(batch.events["labels"][4])["triggering_alarms"] == [
        "arn:aws:cloudwatch:us-east-1:111122223333:alarm:rds-orders-prod-1-cpu"
    ]


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "kind", "rule_key", "resources"),
    [
        ("awscli_describe_alarm_history", "resolved fired", "myalarm", []),
        ("eventbridge_single_metric", "fired", "ServerCpuTooHigh", ["i-12345678901234567"]),
        ("eventbridge_metric_math", "fired", "TotalNetworkTrafficTooHigh", ["i-12345678901234567"]),
        ("eventbridge_composite", "fired", "ServiceAggregatedAlarm", []),
        ("notify_slack_alarm_bare", "fired", "Example", []),
        ("notify_slack_sns_ok_log_metric", "resolved", "DBMigrationRequired", []),
        ("sns_lambda_metric_math", "fired", "EXAMPLE", ["TestInstance"]),
    ],
)
def test_real_samples(shared, read, name, kind, rule_key, resources) -> None:
    events = read((shared / f"formats/samples/cloudwatch/{name}.json").read_bytes()).events
    assert events["kind"].tolist() == kind.split()
    assert events["alertname"].unique().tolist() == [rule_key]
    assert events["rule_key"].str.endswith(rule_key).all()
    assert events["resources"].tolist()[0] == resources


@pytest.mark.shared
def test_real_events_that_are_no_alarm_are_counted(shared, read) -> None:
    changes = sorted((shared / "formats/samples/cloudwatch").glob("eventbridge_config_*.json"))
    assert {tuple(read(p.read_bytes()).ignored.items()) for p in changes} == {(("cloudwatch configuration change", 1),)}
    others = sorted((shared / "formats/samples/aws_events").glob("*.json"))
    assert {tuple(read(p.read_bytes()).ignored.items()) for p in others} == {(("AWS event that is no alarm", 1),)}


def test_every_shape_tells_the_same_fact(event) -> None:
    shapes = [event(history()), event(eventbridge()), event(sns())]
    assert {e["event_id"] for e in shapes} == {"cpu high|2026-03-01T14:02:11.790Z"}
    assert {(e["at"], e["kind"], e["summary"]) for e in shapes} == {
        (pd.Timestamp("2026-03-01T14:02:11.790Z"), "fired", "Threshold Crossed")
    }
    assert [e["native_ids"] for e in shapes] == [["cpu high|2026-03-01T14:02:11.790Z"], ["93ff"], ["m-1"]]
    assert [e["rule_key"] for e in shapes] == ["cpu high", ARN, ARN]
    assert [e["resources"] for e in shapes] == [[], ["i-1"], ["i-1"]]


def test_labels_of_sns_know_account_and_region_from_the_arn(event) -> None:
    labels = json.loads(event(sns(AWSAccountId="999", Region="EU (Ireland)"))["labels"])
    assert labels == {
        "account": "999",
        "alarm_arn": ARN,
        "dimensions": {"InstanceId": "i-1"},
        "metric": "CPU",
        "namespace": "AWS/EC2",
        "new_state": "ALARM",
        "old_state": "OK",
        "region": "eu-west-1",
        "region_name": "EU (Ireland)",
    }


@pytest.mark.parametrize("shape", [history, eventbridge, sns])
@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        ("OK", "ALARM", "fired"),
        ("INSUFFICIENT_DATA", "ALARM", "fired"),
        ("ALARM", "ALARM", "renotified"),
        ("ALARM", "OK", "resolved"),
        ("ALARM", "INSUFFICIENT_DATA", "resolved"),
        ("OK", "INSUFFICIENT_DATA", None),
        ("INSUFFICIENT_DATA", "OK", None),
    ],
)
def test_only_entering_and_leaving_alarm_are_events(read, shape, old, new, kind) -> None:
    batch = read(shape(old, new))
    assert batch.events["kind"].tolist() == ([kind] if kind else [])
    assert batch.ignored == ({} if kind else {"cloudwatch change between OK and INSUFFICIENT_DATA": 1})


def test_creation_of_an_alarm_is_ignored(read) -> None:
    created = sns(None, "INSUFFICIENT_DATA", NewStateReason="Unchecked: Initial alarm creation")
    assert read(created).ignored == {"cloudwatch alarm creation": 1}


@pytest.mark.parametrize("shape", [history, eventbridge, sns])
def test_ok_without_a_previous_state_is_an_end(event, shape) -> None:
    assert event(shape(None, "OK"))["kind"] == "resolved"


def test_change_to_no_data_without_a_previous_state_is_counted_as_such(read) -> None:
    assert read(sns(None, "INSUFFICIENT_DATA")).ignored == {
        "cloudwatch change to INSUFFICIENT_DATA, previous state unknown": 1
    }


def test_message_without_an_id_is_known_by_name_and_time(event) -> None:
    bare = sns()["Records"][0]["Sns"]["Message"]
    assert event(bare)["native_ids"] == ["cpu high|2026-03-01T14:02:11.790Z"]


def test_states_may_stand_in_the_summary_alone(event) -> None:
    item = history(HistoryData=None, HistorySummary="Alarm updated from ALARM to INSUFFICIENT_DATA")
    assert event(item)["kind"] == "resolved"


def test_lambda_alarm_action_is_read_like_eventbridge(event) -> None:
    detail = eventbridge()["detail"]
    got = event({"source": "aws.cloudwatch", "alarmArn": ARN, "accountId": "123456789012", "alarmData": detail})
    assert (got["event_id"], got["rule_key"]) == ("cpu high|2026-03-01T14:02:11.790Z", ARN)


@pytest.mark.parametrize(
    ("dimensions", "service", "resources"),
    [
        ({"ServiceName": "checkout"}, "checkout", []),
        # A service of ECS is one of its cluster: the name alone would merge those of two clusters.
        ({"ClusterName": "prod", "ServiceName": "checkout"}, None, ["prod"]),
        ({"QueueName": "orders.fifo", "Stage": "prod"}, None, ["orders.fifo"]),
        ({"StateMachineArn": "arn:aws:states:x:1:stateMachine:pay"}, None, ["arn:aws:states:x:1:stateMachine:pay"]),
        ({"InstanceId": {"odd": 1}, "": "x"}, None, []),
    ],
)
def test_dimensions_name_service_and_resources(event, dimensions, service, resources) -> None:
    got = event(eventbridge(dimensions=dimensions))
    assert (got.get("service"), got["resources"]) == (service, resources)


@pytest.mark.parametrize(
    ("export", "reason"),
    [
        (history(Timestamp=None), "no_time"),
        (history(Timestamp="14/05/24"), "bad_time"),
        (history(AlarmName=None), "missing_field"),
        (history(AlarmName={"a": 1}), "missing_field"),
        (history(HistoryData="{broken"), "missing_field"),
        (eventbridge(detail=None), "missing_field"),
        (eventbridge(detail="text"), "missing_field"),
        (sns(StateChangeTime=""), "no_time"),
        (sns(NewStateValue=7.5), "missing_field"),
        (sns(NewStateValue="alarm"), "bad_state"),
        (sns(NewStateValue=1), "bad_state"),
        (sns(OldStateValue="firing", NewStateValue="OK"), "bad_state"),
        (eventbridge(new="TRIGGERED"), "bad_state"),
        (history(new="Alarm"), "bad_state"),
    ],
)
def test_change_that_cannot_be_placed_is_rejected(read, export, reason) -> None:
    assert read(export).rejected["reason"].tolist() == [reason]
