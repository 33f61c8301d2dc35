from __future__ import annotations

import json

import pandas as pd
import pytest

from stanza_lab import fold_events

INSTANCE = "arn:aws:ecs:us-east-1:111122223333:container-instance/b54a2a04-046f-4331-9d74-3f6d7f6ca315"
SAMPLES = [  # file, kind, at, rule_key, service, environment, resources, labels
    (
        "eventbridge_codedeploy_deployment_event",
        "changed",
        "2016-06-30T22:06:31Z",
        "CodeDeploy Deployment State-change Notification|myApplication/myDeploymentGroup",
        None,
        None,
        [
            "arn:aws:codedeploy:us-east-1:123456789012:application:myApplication",
            "arn:aws:codedeploy:us-east-1:123456789012:deploymentgroup:myApplication/myDeploymentGroup",
        ],
        {"state": "SUCCESS", "deployment": "d-123456789", "application": "myApplication"},
    ),
    (
        "eventbridge_codepipeline_execution_state_change_event",
        "changed",
        "2017-04-22T03:31:47Z",
        "CodePipeline Pipeline Execution State Change|myPipeline",
        None,
        None,
        ["arn:aws:codepipeline:us-east-1:123456789012:pipeline:myPipeline"],
        {"state": "STARTED", "deployment": "01234567-0123-0123-0123-012345678901", "pipeline": "myPipeline"},
    ),
    (
        "eventbridge_ecs_container_instance_state_change",
        "changed",
        "2016-12-06T16:41:06.991Z",
        f"ECS Container Instance State Change|{INSTANCE}",
        None,
        None,
        [
            INSTANCE,
            "i-f3a8506b",
        ],
        {"state": "ACTIVE", "cluster": "arn:aws:ecs:us-east-1:111122223333:cluster/default"},
    ),
    (
        "notify_slack_health_event",
        "fired",
        "2016-06-05T06:27:57Z",
        "AWS_EC2_INSTANCE_STORE_DRIVE_PERFORMANCE_DEGRADED|123456789012|us-west-2",
        "my-app",
        "prod",
        ["i-abcd1111"],
        {"aws_service": "EC2", "category": "issue"},
    ),
]


@pytest.mark.shared
@pytest.mark.parametrize(("file", "kind", "at", "rule_key", "service", "environment", "resources", "labels"), SAMPLES)
def test_real_samples(shared, event, file, kind, at, rule_key, service, environment, resources, labels) -> None:
    got = event((shared / f"formats/samples/aws_events/{file}.json").read_bytes())
    assert (got["source"], got["kind"], got["at"]) == ("aws", kind, pd.Timestamp(at))
    assert (got["rule_key"], got["resources"]) == (rule_key, resources)
    assert (got.get("service"), got.get("environment")) == (service, environment)
    assert labels.items() <= json.loads(got["labels"]).items()


@pytest.mark.shared
def test_real_health_event_states_when_it_began(shared, event) -> None:
    got = event((shared / "formats/samples/aws_events/notify_slack_health_event.json").read_bytes())
    assert got["starts_at"] == pd.Timestamp("2016-06-05T15:10:09Z")  # RFC 1123, with the wrong day of the week
    assert got["native_ids"] == ["121345678-1234-1234-1234-123456789012"]
    assert got["summary"] == "AWS Health issue: AWS_EC2_INSTANCE_STORE_DRIVE_PERFORMANCE_DEGRADED in us-west-2"


def aws(source, kind, detail, **fields):
    envelope = {"id": "e-1", "account": "1", "region": "eu-west-1", "time": "2026-03-01T14:02:11Z", "resources": []}
    return {**envelope, "source": source, "detail-type": kind, "detail": detail, **fields}


def test_task_tells_its_service_why_it_stopped_and_what_it_ran(event) -> None:
    detail = {
        "clusterArn": "arn:aws:ecs:eu-west-1:1:cluster/prod",
        "taskArn": "arn:aws:ecs:eu-west-1:1:task/prod/abc",
        "group": "service:checkout",
        "lastStatus": "STOPPED",
        "stopCode": "EssentialContainerExited",
        "stoppedReason": "Essential container in task exited",
        "updatedAt": "2026-03-01T14:02:10.5Z",
        "containers": [{"image": "shop/checkout:1.2.3", "exitCode": 137}],
    }
    got = event(aws("aws.ecs", "ECS Task State Change", detail))
    assert (got["kind"], got["at"], got["description"]) == (
        "changed",
        pd.Timestamp("2026-03-01T14:02:10.5Z"),
        "Essential container in task exited",
    )
    assert got["rule_key"] == "ECS Task State Change|service:checkout"
    assert got["summary"] == "ECS Task State Change: service:checkout STOPPED"
    assert got["resources"] == ["arn:aws:ecs:eu-west-1:1:task/prod/abc"]
    assert json.loads(got["labels"])["images"] == ["shop/checkout:1.2.3"]


def test_deployment_of_a_service_is_a_change(event) -> None:
    service = "arn:aws:ecs:eu-west-1:1:service/prod/checkout"
    detail = {
        "eventType": "ERROR",
        "eventName": "SERVICE_DEPLOYMENT_FAILED",
        "deploymentId": "ecs-svc/1",
        "reason": "no",
    }
    got = event(aws("aws.ecs", "ECS Deployment State Change", detail, resources=[service]))
    assert (got["kind"], got["summary"], got["resources"]) == (
        "changed",
        f"ECS Deployment State Change: {service} SERVICE_DEPLOYMENT_FAILED",
        [service],
    )


def test_changes_are_no_alerts(read) -> None:
    events = read(aws("aws.codepipeline", "CodePipeline Stage Execution State Change", {"pipeline": "p"})).events
    assert (events["kind"].tolist(), len(fold_events(events))) == (["changed"], 0)


def health(number, at, **detail):
    """Return one message about an event of AWS Health."""
    about = {
        "eventArn": "arn:aws:health:eu-west-1::event/EC2/AWS_EC2_ISSUE/1",
        "service": "EC2",
        "eventTypeCode": "AWS_EC2_OPERATIONAL_ISSUE",
        "eventTypeCategory": "issue",
        "startTime": "Sun, 01 Mar 2026 14:00:00 GMT",
        "statusCode": "open",
        "communicationId": f"c-{number}",
        "eventDescription": [
            {"language": "de_DE", "latestDescription": "Störung"},
            {"language": "en_US", "latestDescription": "We are investigating"},
        ],
        **detail,
    }
    return aws("aws.health", "AWS Health Event", about, id=f"e-{number}", time=at)


def test_health_event_is_an_alert_until_it_is_closed(read) -> None:
    told = [
        health(1, "2026-03-01T14:10:00Z"),
        health(2, "2026-03-01T14:30:00Z"),
        health(3, "2026-03-01T16:00:00Z", statusCode="closed", endTime="Sun, 01 Mar 2026 15:55:00 GMT"),
    ]
    events = read(told).events
    assert events["kind"].tolist() == ["fired", "fired", "resolved"]
    [alert] = fold_events(events).to_dict("records")
    assert (alert["starts_at"], alert["ends_at"]) == (
        pd.Timestamp("2026-03-01T14:00:00Z"),
        pd.Timestamp("2026-03-01T15:55:00Z"),
    )
    assert (alert["event_ids"], alert["description"]) == (["e-1", "e-2", "e-3"], "We are investigating")


def test_pages_of_a_health_event_are_one_fact_with_all_entities(read) -> None:
    pages = [
        health(1, "2026-03-01T14:10:00Z", page=str(page), totalPages="2", affectedEntities=[{"entityValue": entity}])
        for page, entity in enumerate(["i-1", "i-2"], start=1)
    ]
    [alert] = fold_events(read(pages).events).to_dict("records")
    assert alert["resources"] == ["i-1", "i-2"]


def test_health_event_that_is_still_open_keeps_a_planned_end_out(event) -> None:
    got = event(health(1, "2026-03-01T14:10:00Z", endTime="Sun, 01 Mar 2026 18:00:00 GMT"))
    assert (got["kind"], "ends_at" in got) == ("fired", False)


def test_planned_work_of_aws_is_a_change(event) -> None:
    got = event(health(1, "2026-03-01T14:10:00Z", eventTypeCategory="scheduledChange", statusCode="upcoming"))
    assert (got["kind"], "starts_at" in got) == ("changed", False)
    assert json.loads(got["labels"])["planned_from"] == "2026-03-01T14:00:00.000Z"


def test_tags_count_where_entities_agree(event) -> None:
    entities = [{"entityValue": f"i-{n}", "tags": {"Team": "web", "app": f"app-{n}"}} for n in (1, 2)]
    got = event(health(1, "2026-03-01T14:10:00Z", affectedEntities=[*entities]))
    assert (got["team"], got.get("service"), got["resources"]) == ("web", None, ["i-1", "i-2"])


@pytest.mark.parametrize(
    ("export", "reason"),
    [
        (health(1, None), "no_time"),
        (health(1, "2026-03-01T14:10:00Z", eventArn=None), "missing_field"),
        (health(1, "2026-03-01T14:10:00Z", startTime="soon"), "bad_time"),
        (health(1, "2026-03-01T14:10:00Z", startTime="Sun, soon"), "malformed"),
        (aws("aws.ecs", "ECS Task State Change", {}, time=None), "no_time"),
    ],
)
def test_event_that_cannot_be_placed_is_rejected(read, export, reason) -> None:
    assert read(export).rejected["reason"].tolist() == [reason]
