from __future__ import annotations

import json

import pandas as pd
import pytest

from stanza_lab import fold_events

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
    assert batch.ignored == {"cloudwatch action": 1}
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
        ["rds-orders-prod-1-cpu|definition|2024-05-01T09:00:00.001Z", "rds-orders-prod-1-cpu", "note"],
    ]
    assert batch.events["resources"].tolist()[-2:] == [["i-0a1b2c3d4e5f67890"], ["orders-prod-1"]]
    assert json.loads(batch.events["labels"][4])["triggering_alarms"] == [
        "arn:aws:cloudwatch:us-east-1:111122223333:alarm:rds-orders-prod-1-cpu"
    ]


def arn(alarm, *, account="123456789012", region="us-east-1"):
    return f"arn:aws:cloudwatch:{region}:{account}:alarm:{alarm}"


SAMPLES = [  # file, kind, at, rule_key, resources, description
    (
        "awscli_describe_alarms",
        "note",
        "2012-12-27T00:49:54.032Z",
        arn("myalarm"),
        ["i-0c986c72"],
        "CPU usage exceeds 70 percent",
    ),
    (
        "eventbridge_single_metric",
        "fired",
        "2019-10-02T17:04:40.989Z",
        arn("ServerCpuTooHigh"),
        ["i-12345678901234567"],
        "Goes into alarm when server CPU utilization is too high!",
    ),
    (
        "eventbridge_metric_math",
        "fired",
        "2019-10-02T17:20:48.554Z",
        arn("TotalNetworkTrafficTooHigh"),
        ["i-12345678901234567"],
        "Goes into alarm if total network traffic exceeds 10Kb",
    ),
    (
        "eventbridge_anomaly_detection",
        "fired",
        "2019-10-03T16:00:04.653Z",
        arn("EC2 CPU Utilization Anomaly"),
        ["i-12345678901234567"],
        "Goes into alarm if CPU Utilization is out of band",
    ),
    ("eventbridge_composite", "fired", "2022-07-22T15:57:45.394Z", arn("ServiceAggregatedAlarm"), [], None),
    (
        "eventbridge_config_create_composite",
        "note",
        "2022-03-03T17:06:22.289Z",
        arn("ServiceAggregatedAlarm"),
        [],
        "Aggregated monitor for instance",
    ),
    (
        "eventbridge_config_create_composite_suppressed",
        "note",
        "2022-07-14T13:59:46.425Z",
        arn("ServiceAggregatedAlarm"),
        [],
        None,
    ),
    (
        "eventbridge_config_update_composite_suppressed",
        "note",
        "2022-07-14T13:59:56.290Z",
        arn("ServiceAggregatedAlarm"),
        [],
        None,
    ),
    (
        "eventbridge_config_delete_composite_suppressed",
        "note",
        "2022-07-14T14:00:01Z",
        arn("ServiceAggregatedAlarm"),
        [],
        None,
    ),
    (
        "eventbridge_config_update_metric",
        "note",
        "2022-03-03T17:06:34.267Z",
        arn("ServerCpuTooHigh"),
        ["i-12345678901234567"],
        "Goes into alarm when server CPU utilization is too high!",
    ),
    (
        "eventbridge_config_delete_metric",
        "note",
        "2022-03-03T17:07:13Z",
        arn("TotalNetworkTrafficTooHigh"),
        ["i-12345678901234567"],
        "Goes into alarm if total network traffic exceeds 10Kb",
    ),
    (
        "notify_slack_alarm_bare",
        "fired",
        "2017-01-12T16:30:42.236Z",
        arn("Example", account="000000000000", region="eu-west-1"),
        [],
        "Example alarm description.",
    ),
    (
        "notify_slack_sns_ok_log_metric",
        "resolved",
        "2019-02-12T15:45:24.006Z",
        arn("DBMigrationRequired", account="735598076380"),
        [],
        'App is reporting "A JPA error occurred(Unable to build EntityManagerFactory)"',
    ),
    (
        "sns_lambda_single_metric",
        "fired",
        "2015-06-03T17:43:27.123Z",
        arn("EXAMPLE", account="ACCOUNT_NUMBER", region="REGION"),
        ["TestInstance"],
        "EXAMPLE",
    ),
    (
        "sns_lambda_metric_math",
        "fired",
        "2015-06-03T17:43:27.123Z",
        arn("EXAMPLE", account="ACCOUNT_NUMBER", region="REGION"),
        ["TestInstance"],
        "EXAMPLE",
    ),
]


@pytest.mark.shared
@pytest.mark.parametrize(("file", "kind", "at", "rule_key", "resources", "description"), SAMPLES)
def test_real_samples(shared, event, file, kind, at, rule_key, resources, description) -> None:
    got = event((shared / f"formats/samples/cloudwatch/{file}.json").read_bytes())
    assert (got["source"], got["kind"], got["at"]) == ("cloudwatch", kind, pd.Timestamp(at))
    assert (got["rule_key"], got["alertname"]) == (rule_key, rule_key.split(":", 6)[-1])
    assert (got["resources"], got.get("description")) == (resources, description)
    assert not {"severity", "service", "team", "environment", "starts_at", "ends_at"} & got.keys()


@pytest.mark.shared
def test_sample_of_an_alarm_set_by_hand_is_no_alert(shared, read) -> None:
    events = read((shared / "formats/samples/cloudwatch/awscli_describe_alarm_history.json").read_bytes()).events
    assert events["kind"].tolist() == ["note", "note"]
    assert fold_events(events).empty


@pytest.mark.shared
def test_sample_archive(shared, read) -> None:
    export = (shared / "formats/samples/cloudwatch/synthetic_eventbridge_archive.jsonl").read_bytes()
    events = read(export, name="archive.jsonl").events
    alb = ["app/shop-public/50dc6c495c0c9188", "targetgroup/checkout-tg/6d0ecf831eec9f09"]
    assert events[["alertname", "kind", "resources"]].to_numpy().tolist() == [
        ["alb-shop-5xx", "fired", alb],
        ["lambda-resize-errors", "fired", ["image-resize"]],
        ["ecs-checkout-cpu", "fired", ["prod"]],
        ["sqs-orders-age", "fired", ["orders-events.fifo"]],
        ["asg-web-unhealthy", "fired", ["web-asg-2a"]],
        ["eks-pod-restarts", "fired", ["checkout-api"]],
        ["redis-cpu", "fired", ["redis-prod-001"]],
        ["ddb-throttle", "fired", ["Carts"]],
        ["apigw-5xx", "fired", ["shop-api"]],
        ["msk-lag", "fired", ["orders"]],
        ["alb-shop-5xx", "resolved", alb],
    ]
    alert = fold_events(events)[lambda alerts: alerts["alertname"] == "alb-shop-5xx"].squeeze()
    assert (alert["starts_at"], alert["ends_at"]) == (
        pd.Timestamp("2024-05-14T14:02:40.412Z"),
        pd.Timestamp("2024-05-14T14:31:00.412Z"),
    )


@pytest.mark.shared
def test_real_message_of_plain_text_is_counted(shared, read) -> None:
    export = (shared / "formats/samples/slack/notify_slack_sns_text_input.json").read_bytes()
    assert read(export).ignored == {"cloudwatch SNS message of plain text": 1}


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


def wrapped(how):
    """Return the SNS message of a state change as it arrives in one way or another."""
    message = sns()["Records"][0]["Sns"]["Message"]
    http = {"Type": "Notification", "MessageId": "m-1", "TopicArn": "arn:aws:sns:eu-west-1:1:t", "Message": message}
    queued = {"messageId": "q-1", "receiptHandle": "AQ", "body": json.dumps(http)}
    logged = {"timestamp": 1772373731900, "message": json.dumps(eventbridge()), "logStreamName": "events"}
    return {
        "raw": json.loads(message),
        "http": http,
        "lambda": sns(),
        "queue": {"Records": [queued]},
        "received": {"Messages": [{"MessageId": "q-1", "ReceiptHandle": "AQ", "Body": json.dumps(http)}]},
        "log group": logged,
        "log page": {"events": [{**logged, "eventId": "3"}], "searchedLogStreams": [], "nextToken": "t"},
        "log subscription": {"messageType": "DATA_MESSAGE", "owner": "1", "logEvents": [{**logged, "id": "3"}]},
        "bus to topic": {"Records": [{"Sns": {"MessageId": "m-1", "Message": json.dumps(eventbridge())}}]},
    }[how]


@pytest.mark.parametrize(
    "how",
    ["raw", "http", "lambda", "queue", "received", "log group", "log page", "log subscription", "bus to topic"],
)
def test_wrappings_are_seen_through(event, how) -> None:
    got = event(wrapped(how))
    assert (got["event_id"], got["kind"], got["rule_key"], got["time_source"]) == (
        "cpu high|2026-03-01T14:02:11.790Z",
        "fired",
        ARN,
        "event",
    )


def test_every_shape_folds_into_one_alert_with_all_ids(read) -> None:
    told = pd.concat([read(shape()).events for shape in (history, eventbridge, sns)], ignore_index=True)
    [alert] = fold_events(told).to_dict("records")
    assert sorted(alert["event_ids"]) == ["93ff", "cpu high|2026-03-01T14:02:11.790Z", "m-1"]
    assert (alert["rule_key"], alert["resources"]) == (ARN, ["i-1"])


def test_alarm_history_gets_what_it_lacks_from_definitions(read) -> None:
    told = [read(export).events for export in (history(), {"MetricAlarms": [definition()]})]
    [alert] = fold_events(pd.concat(told, ignore_index=True)).to_dict("records")
    assert (alert["rule_key"], alert["resources"], alert["description"]) == (ARN, ["i-1"], "CPU of the shop")
    assert json.loads(alert["labels"])["dimensions"] == {"InstanceId": "i-1"}


def definition(**fields):
    """Return an alarm of describe-alarms."""
    return {
        "AlarmName": "cpu high",
        "AlarmArn": ARN,
        "AlarmDescription": "CPU of the shop",
        "StateValue": "ALARM",
        "StateUpdatedTimestamp": "2026-03-01T14:02:11.790Z",
        "AlarmConfigurationUpdatedTimestamp": "2026-01-01T00:00:00.5+00:00",
        "AlarmActions": ["arn:aws:sns:eu-west-1:123456789012:on-call"],
        "MetricName": "CPU",
        "Namespace": "AWS/EC2",
        "Dimensions": [{"Name": "InstanceId", "Value": "i-1"}],
        **fields,
    }


def test_definition_is_a_note_about_its_rule(event) -> None:
    got = event({"MetricAlarms": [definition()], "CompositeAlarms": []})
    del got["raw"]
    assert json.loads(got.pop("labels")) == {
        "account": "123456789012",
        "alarm_arn": ARN,
        "dimensions": {"InstanceId": "i-1"},
        "metric": "CPU",
        "namespace": "AWS/EC2",
        "region": "eu-west-1",
    }
    assert got == {
        "source": "cloudwatch",
        "event_id": "cpu high|definition|2026-01-01T00:00:00.500Z",
        "native_ids": ["cpu high|definition|2026-01-01T00:00:00.500Z"],
        "rule_key": ARN,
        "at": pd.Timestamp("2026-01-01T00:00:00.5Z"),
        "time_source": "event",
        "kind": "note",
        "has_recovery": True,
        "alertname": "cpu high",
        "summary": "cpu high: definition",
        "description": "CPU of the shop",
        "resources": ["i-1"],
        "trace_ids": [],
    }


def test_definition_without_a_time_has_none(event) -> None:
    got = event(definition(AlarmConfigurationUpdatedTimestamp=None))
    assert (got["event_id"], got["time_source"], "at" in got) == (f"{ARN}|definition", "none", False)


def test_definition_of_metric_math_and_of_a_composite(read) -> None:
    metric = {"MetricStat": {"Metric": {"MetricName": "5xx", "Dimensions": [{"Name": "QueueName", "Value": "q"}]}}}
    math = definition(MetricName=None, Namespace=None, Dimensions=[], Metrics=[{"Expression": "m1*1"}, metric])
    composite = {"AlarmName": "shop", "AlarmArn": ARN, "AlarmRule": 'ALARM("cpu high")'}
    log = {"AlarmName": "errors", "AlarmArn": ARN, "AlarmDescription": "log lines"}
    events = read({"MetricAlarms": [math], "CompositeAlarms": [composite], "LogAlarms": [log]}).events
    assert events["resources"].tolist() == [["q"], [], []]
    labels = [json.loads(said) for said in events["labels"]]
    assert (labels[0]["metric"], labels[0]["expression"]) == ("5xx", "m1*1")
    assert labels[1]["alarm_rule"] == 'ALARM("cpu high")'


def test_definition_that_says_nothing_is_counted(read) -> None:
    assert read({"AlarmName": "cpu", "EvaluationPeriods": 1}).ignored == {"cloudwatch alarm definition": 1}
    changed = history(HistoryItemType="ConfigurationUpdate", HistoryData=None)
    assert read(changed).ignored == {"cloudwatch configuration change": 1}


@pytest.mark.parametrize("key", ["createdAlarm", "updatedAlarm", "deletedAlarm"])
def test_configuration_item_holds_the_alarm(event, key) -> None:
    alarm = {"alarmName": "cpu high", "alarmArn": ARN, "dimensions": [{"name": "InstanceId", "value": "i-9"}]}
    item = history(HistoryItemType="ConfigurationUpdate", HistoryData=json.dumps({"type": "x", key: alarm}))
    got = event(item)
    assert (got["kind"], got["rule_key"], got["resources"]) == ("note", ARN, ["i-9"])


def test_actions_of_the_history_are_counted(read) -> None:
    for item in ("Action", "AlarmContributorAction"):
        assert read(history(HistoryItemType=item)).ignored == {"cloudwatch action": 1}


@pytest.mark.parametrize(
    ("old", "new", "reasons", "kinds"),
    [
        ("OK", "ALARM", ("Threshold Crossed: 1 datapoint", "testing purposes"), ["note"]),
        ("ALARM", "OK", ("testing purposes", "Threshold Crossed: 1 datapoint"), ["note"]),
        ("ALARM", "OK", ("Threshold Crossed: 1 datapoint", "acknowledged by hand"), ["resolved"]),
        ("OK", "ALARM", ("...", "..."), ["fired"]),
        ("OK", "ALARM", (None, None), ["fired"]),
    ],
)
def test_state_set_by_hand_is_no_alert(read, old, new, reasons, kinds) -> None:
    data = {
        "oldState": {"stateValue": old, "stateReason": reasons[0]},
        "newState": {"stateValue": new, "stateReason": reasons[1]},
    }
    assert read(history(HistoryData=json.dumps(data))).events["kind"].tolist() == kinds
    told = eventbridge(old, new)
    told["detail"]["state"]["reason"], told["detail"]["previousState"]["reason"] = reasons[1], reasons[0]
    assert read(told).events["kind"].tolist() == kinds


def test_reason_of_unknown_wording_with_its_data_is_no_drill(event) -> None:
    data = {"stateValue": "ALARM", "stateReason": "Query matched", "stateReasonData": {"version": "1.0"}}
    assert event(history(HistoryData=json.dumps({"newState": data})))["kind"] == "fired"
    assert (
        event(history(AlarmType="LogAlarm", HistoryData=json.dumps({"newState": {**data, "stateReasonData": None}})))[
            "kind"
        ]
        == "fired"
    )
    assert event(sns(NewStateReason="drill"))["kind"] == "note"


def test_composite_tells_its_rule_its_children_and_what_suppresses_it(event) -> None:
    told = eventbridge("ALARM", "ALARM")
    children = json.dumps({"triggeringAlarms": [{"arn": ARN, "state": {"value": "ALARM"}}]})
    told["detail"]["state"] |= {"actionsSuppressedBy": "WaitPeriod", "reasonData": children}
    told["detail"]["configuration"] = {"alarmRule": "ALARM(a)", "actionsSuppressor": "b"}
    got = event(told)
    labels = json.loads(got["labels"])
    assert (got["kind"], labels["alarm_rule"], labels["actions_suppressed_by"], labels["triggering_alarms"]) == (
        "renotified",
        "ALARM(a)",
        "WaitPeriod",
        [ARN],
    )


def test_contributors_are_rules_of_their_own_in_every_shape(read) -> None:
    told = eventbridge(**{"detail-type": "CloudWatch Alarm Contributor State Change"})
    del told["detail"]["previousState"]
    told["detail"]["alarmContributor"] = {"id": "6d44", "attributes": {"TableName": "carts"}}
    told["detail"]["configuration"] = {"metrics": [{"expression": "SELECT AVG(x) GROUP BY TableName"}]}
    item = history(
        None,
        HistoryItemType="AlarmContributorStateUpdate",
        AlarmContributorId="6d44",
        AlarmContributorAttributes={"TableName": "carts"},
    )
    message = sns(AlarmContributorId="6d44", AlarmContributorAttributes={"TableName": "carts"}, Trigger={})
    events = [read(export).events.iloc[0] for export in (told, item, message)]
    assert {e["event_id"] for e in events} == {"cpu high|6d44|2026-03-01T14:02:11.790Z"}
    assert [e["rule_key"] for e in events] == [f"{ARN}|6d44", "cpu high|6d44", f"{ARN}|6d44"]
    assert [(e["kind"], e["resources"]) for e in events] == [("fired", ["carts"])] * 3


def test_name_may_hold_colons_and_slashes(event) -> None:
    name = "shop::api/5xx: too many"
    told = eventbridge(resources=[arn(name)])
    told["detail"]["alarmName"] = name
    got = event(told)
    assert (got["alertname"], got["rule_key"], json.loads(got["labels"])["region"]) == (name, arn(name), "eu-west-1")


@pytest.mark.parametrize(
    ("region", "code"),
    [
        ("EU (Ireland)", "eu-west-1"),
        ("Europe (Ireland)", "eu-west-1"),
        ("US East (N. Virginia)", "us-east-1"),
        ("US West (Northern California)", "us-west-1"),
        ("Asia Pacific (Osaka-Local)", "ap-northeast-3"),
        ("South America (Sao Paulo)", "sa-east-1"),
        ("Canada (Central)", "ca-central-1"),
        ("Mexico (Central)", "mx-central-1"),
        ("eu-central-1", "eu-central-1"),
    ],
)
def test_message_without_arn_gets_it_from_account_and_region(event, region, code) -> None:
    got = event(sns(AlarmArn=None, AWSAccountId="123456789012", Region=region))
    assert got["rule_key"] == arn("cpu high", region=code)
    assert json.loads(got["labels"])["region"] == code


@pytest.mark.parametrize(
    ("region", "rule_key"),
    [
        ("AWS GovCloud (US-West)", "arn:aws-us-gov:cloudwatch:us-gov-west-1:123456789012:alarm:cpu high"),
        ("China (Beijing)", "arn:aws-cn:cloudwatch:cn-north-1:123456789012:alarm:cpu high"),
        ("Mars (Olympus)", "cpu high"),
        (None, "cpu high"),
    ],
)
def test_partitions_and_unknown_regions(event, region, rule_key) -> None:
    assert event(sns(AlarmArn=None, AWSAccountId="123456789012", Region=region))["rule_key"] == rule_key


def test_scaling_policies_are_marked(event) -> None:
    policy = "arn:aws:autoscaling:eu-west-1:1:scalingPolicy:u:resource/ecs/service/a/b:policyName/c"
    marked = [
        event(sns(AlarmName="TargetTracking-service/prod/checkout-AlarmHigh-1")),
        event(definition(AlarmActions=[policy])),
    ]
    assert [json.loads(e["labels"])["scaling_policy"] for e in marked] == [True, True]
    assert "scaling_policy" not in json.loads(event(definition())["labels"])


def test_time_of_the_envelope_stands_in(event) -> None:
    told = eventbridge(time="2026-03-01T14:02:12Z")
    del told["detail"]["state"]["timestamp"]
    assert event(told)["at"] == pd.Timestamp("2026-03-01T14:02:12Z")


def test_subscriptions_and_control_messages_are_counted(read) -> None:
    topic = {"TopicArn": "arn:aws:sns:eu-west-1:1:t", "Token": "x", "Message": "You have chosen to subscribe"}
    assert read({"Type": "SubscriptionConfirmation", **topic}).ignored == {"cloudwatch SNS subscription": 1}
    control = {"messageType": "CONTROL_MESSAGE", "logEvents": []}
    assert read(control).ignored == {"cloudwatch control message of a log group": 1}


def test_other_aws_events_are_counted_under_either_source(read) -> None:
    other = {"source": "aws.ec2", "detail-type": "EC2 Instance State-change Notification", "detail": {}}
    for source in ("auto", "cloudwatch", "aws"):
        assert read(other, source=source).ignored == {"AWS event that is no alarm": 1}


def test_event_of_a_partner_is_none_of_aws(read) -> None:
    partner = {"source": "aws.partner/datadog.com/x", "detail-type": "Datadog Alert Notification", "detail": {}}
    assert "AWS event that is no alarm" not in read(partner).ignored
