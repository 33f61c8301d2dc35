"""Other events of AWS in an EventBridge archive: deployments and tasks are changes, AWS Health tells of its incidents.

https://docs.aws.amazon.com/eventbridge/latest/ref/welcome.html
https://docs.aws.amazon.com/health/latest/ug/aws-health-events-eventbridge-schema.html
"""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import Any

from stanza_lab.loaders import _times
from stanza_lab.loaders._records import (
    Envelope,
    Event,
    Record,
    Shape,
    canonical,
    ignore,
    instant,
    listing,
    mapping,
    moment,
    name,
    need,
    text,
)

# Changes, by their detail-type, and how an event of them names what changed.
_ECS = (
    "ECS Task State Change",
    "ECS Container Instance State Change",
    "ECS Deployment State Change",
    "ECS Service Action",
)
_CODEDEPLOY = ("CodeDeploy Deployment State-change Notification", "CodeDeploy Instance State-change Notification")
_CODEPIPELINE = (
    "CodePipeline Pipeline Execution State Change",
    "CodePipeline Stage Execution State Change",
    "CodePipeline Action Execution State Change",
)
_CHANGES = frozenset((*_ECS, *_CODEDEPLOY, *_CODEPIPELINE))
_HEALTH = ("AWS Health Event", "AWS Health Abuse Event")
# An affected entity that is none: the account as a whole.
_NO_ENTITY = ("UNKNOWN", "AWS_ACCOUNT")
_TAGS = {
    "service": ("service", "app", "application"),
    "environment": ("environment", "env", "stage"),
    "team": ("team", "owner", "squad"),
}


def is_aws_event(record: Record) -> bool:
    """Return whether a record is an event of AWS itself, not one of a partner in the envelope of EventBridge."""
    source = record.get("source")
    return "detail-type" in record and isinstance(source, str) and source.startswith("aws.") and "partner" not in source


def _is_change(record: Record) -> bool:
    kind = record.get("detail-type")
    return is_aws_event(record) and isinstance(kind, str) and kind in _CHANGES


def _is_health(record: Record) -> bool:
    return is_aws_event(record) and record.get("detail-type") in _HEALTH and isinstance(record.get("detail"), dict)


def _read_change(record: Record, envelope: Envelope) -> Event:
    """Read a change of state of a task, a container instance, a deployment or a pipeline."""
    detail = mapping(record.get("detail"))
    what = need(name(record.get("detail-type")), "detail-type")
    at = moment(detail.get("updatedAt") or record.get("time"), "time", envelope)
    named = [text(resource) for resource in listing(record.get("resources"))]
    # Deployments and pipelines are what changed already; of a task its service and its machine are affected too.
    named += [text(detail.get(key)) for key in ("taskArn", "containerInstanceArn", "ec2InstanceId", "instanceId")]
    resources = list(dict.fromkeys(resource for resource in named if resource))
    state = _state(detail)
    subject = _subject(detail) or (resources[0] if resources else need(name(record.get("id")), "id"))
    reason = text(detail.get("stoppedReason")) or text(detail.get("reason")) or text(detail.get("statusReason"))
    event_id = name(record.get("id")) or f"{what}|{subject}|{state}|{_times.iso_ms(at)}"
    return {
        "event_id": event_id,
        "native_ids": [event_id],
        "rule_key": f"{what}|{subject}",
        "at": at,
        "kind": "changed",
        "has_recovery": False,
        "alertname": what,
        "summary": f"{what}: {subject} {state or ''}".strip(),
        "description": reason,
        # A service of ECS has its name within its cluster only: it stands in the labels, beside the cluster.
        "resources": resources,
        "labels": canonical(
            {
                "account": name(record.get("account")),
                "region": name(record.get("region")),
                "state": state,
                "cluster": text(detail.get("clusterArn")),
                "group": text(detail.get("group")),
                "deployment": name(detail.get("deploymentId")) or name(detail.get("execution-id")),
                "application": name(detail.get("application")),
                "deployment_group": name(detail.get("deploymentGroup")),
                "pipeline": name(detail.get("pipeline")),
                "stage": name(detail.get("stage")),
                "action": name(detail.get("action")),
                "stop_code": name(detail.get("stopCode")),
                "images": sorted(
                    {i for c in listing(detail.get("containers")) if (i := name(mapping(c).get("image")))}
                ),
            }
        ),
    }


def _state(detail: Record) -> str | None:
    """Return what became of it: a state, or the name of an event of a service of ECS."""
    return next(
        (said for key in ("state", "eventName", "lastStatus", "status") if (said := name(detail.get(key)))), None
    )


def _subject(detail: Record) -> str | None:
    """Return what changes again and again: a deployment group, a pipeline, a service; not the one deployment."""
    application, group = name(detail.get("application")), name(detail.get("deploymentGroup"))
    return (f"{application}/{group}" if application and group else application) or (
        name(detail.get("pipeline")) or text(detail.get("group"))
    )


def _read_health(record: Record, envelope: Envelope) -> Event:
    """Read an event of AWS Health: trouble of AWS is an alert until it is closed, what AWS plans is a change."""
    detail = mapping(record.get("detail"))
    arn = need(text(detail.get("eventArn")), "eventArn")
    code = need(name(detail.get("eventTypeCode")), "eventTypeCode")
    category = name(detail.get("eventTypeCategory"))
    account = name(detail.get("affectedAccount")) or name(record.get("account"))
    region = name(detail.get("eventRegion")) or name(record.get("region"))
    at = moment(record.get("time"), "time", envelope)
    trouble = category in ("issue", "investigation", None)
    starts, ends = (_rfc1123(detail.get(key), key, envelope) for key in ("startTime", "endTime"))
    status = name(detail.get("statusCode"))
    closed = status == "closed" or (status is None and ends is not None)
    entities = [mapping(entity) for entity in listing(detail.get("affectedEntities"))]
    # One message is told again in another region, and page by page: it is one fact, and the pages add their entities.
    message = name(detail.get("communicationId"))
    native_id = name(record.get("id")) or envelope.delivery_id
    event_id = "|".join(filter(None, (arn, account, message or native_id or _times.iso_ms(at))))
    return {
        "event_id": event_id,
        "native_ids": [native_id or event_id],
        "occurrence_key": f"{arn}|{account}" if account else arn,
        "rule_key": "|".join(filter(None, (code, account, region))),
        "at": at,
        "kind": ("resolved" if closed else "fired") if trouble else "changed",
        "has_recovery": True,
        "alertname": code,
        "starts_at": starts if trouble else None,
        "ends_at": ends if trouble and closed else None,
        "summary": f"AWS Health {category or 'event'}: {code}" + (f" in {region}" if region else ""),
        "description": _described(detail),
        **{column: _tag(entities, keys) for column, keys in _TAGS.items()},
        "resources": _affected(record, entities),
        "labels": canonical(
            {
                "account": account,
                "region": region,
                "aws_service": name(detail.get("service")),
                "category": category,
                "scope": name(detail.get("eventScopeCode")),
                "status": status,
                "event_arn": arn,
                "planned_from": _iso(starts) if not trouble else None,
                "planned_until": _iso(ends) if not trouble else None,
            }
        ),
    }


def _rfc1123(value: Any, field: str, envelope: Envelope) -> int | None:
    """Return a time such as "Sat, 05 Jun 2016 15:10:09 GMT" (also ISO 8601); its day of the week is not asked."""
    said = text(value)
    if said is not None and "," in said[:5]:
        value = parsedate_to_datetime(said).isoformat()
    return instant(value, field, envelope)


def _iso(at: int | None) -> str | None:
    return None if at is None else _times.iso_ms(at)


def _described(detail: Record) -> str | None:
    """Return the description, the English one where there are several."""
    listed = [mapping(one) for one in listing(detail.get("eventDescription"))]
    listed.sort(key=lambda one: not str(one.get("language")).startswith("en"))
    return next((said for one in listed if (said := text(one.get("latestDescription")))), None)


def _affected(record: Record, entities: list[Record]) -> list[str]:
    named = [text(entity.get("entityValue")) for entity in entities]
    named += [text(resource) for resource in listing(record.get("resources"))]
    return list(dict.fromkeys(value for value in named if value and value not in _NO_ENTITY))


def _tag(entities: list[Record], keys: tuple[str, ...]) -> str | None:
    """Return what a tag says of the affected entities, where they agree."""
    said = set()
    for entity in entities:
        tags = {key.lower(): value for key, value in mapping(entity.get("tags")).items()}
        said.add(next((found for key in keys if (found := name(tags.get(key)))), None))
    return said.pop() if len(said) == 1 else None


SHAPES = (
    Shape("aws", "change", _is_change, _read_change),
    Shape("aws", "Health event", _is_health, _read_health),
    ignore("aws", "event", is_aws_event, kind="AWS event that is no alarm"),
)
