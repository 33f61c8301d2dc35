"""CloudWatch: ``describe-alarm-history``, ``describe-alarms``, and an EventBridge archive that began later."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from stanza_lab.simulate.exports.joined import by_month, dump, joined, lines
from stanza_lab.simulate.naming import HEX, codes
from stanza_lab.simulate.rhythm import DAY_MS
from stanza_lab.simulate.topology import ACCOUNT, REGION

if TYPE_CHECKING:
    from stanza_lab.simulate.production import Production

_DIMENSION = {
    "rds": "DBInstanceIdentifier",
    "sqs": "QueueName",
    "dynamodb": "TableName",
    "elasticache": "CacheClusterId",
    "lambda": "FunctionName",
}
_ARCHIVED_FROM = 0.6  # of the simulated time: someone switched the archive on then


def file_name(month: str) -> str:
    """Return the file the alarm history of a month stands in."""
    return f"cloudwatch_alarm_history_{month}.json"


def archive_name(month: str) -> str:
    """Return the file the archived EventBridge events of a month stand in."""
    return f"cloudwatch_eventbridge_{month}.ndjson"


def render(production: Production) -> Iterator[tuple[str, str]]:
    """Yield path and text: history newest first, the archive oldest first, one definition per alarm."""
    rng = np.random.default_rng([production.parameters["random_state"], 13])
    rows = joined(production, "cloudwatch")
    if rows.empty:
        return
    above = rows["kind"] == "firing"
    value = np.where(above, rows["threshold"] * 1.1 + rng.exponential(1.0, len(rows)), rows["threshold"] * 0.7)
    uuid = [
        f"{code[:8]}-{code[8:12]}-4{code[13:16]}-a{code[17:20]}-{code[20:]}" for code in codes(rng, len(rows), 32, HEX)
    ]
    rows = rows.assign(value=np.round(value, 4), uuid=uuid)
    for month, part in by_month(rows):
        items = [_history(row) for row in part.iloc[::-1].itertuples()]
        yield f"exports/{file_name(month)}", dump({"AlarmHistoryItems": items}) + "\n"
    for month, part in by_month(archived(production, rows)):
        yield f"exports/{archive_name(month)}", lines(_eventbridge(row) for row in part.itertuples())
    alarms = rows.drop_duplicates("monitor").sort_values("alertname")
    definitions = {"MetricAlarms": [_definition(row) for row in alarms.itertuples()], "CompositeAlarms": []}
    yield "exports/cloudwatch_alarms.json", dump(definitions) + "\n"


def archived(production: Production, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows the EventBridge archive holds too."""
    began = pd.Timestamp(production.parameters["start"]).value // 1_000_000
    since = began + _ARCHIVED_FROM * production.parameters["days"] * DAY_MS
    return rows.take(np.flatnonzero(rows["at_ms"] >= since))


def _reason(row: Any) -> tuple[str, dict[str, Any]]:
    firing = row.kind == "firing"
    begin = datetime.fromtimestamp(row.at_ms / 1000 - row.minutes * 60, tz=UTC).replace(second=0, microsecond=0)
    verb = "was" if firing else "was not"
    way = "OK -> ALARM" if firing else "ALARM -> OK"
    text = (
        f"Threshold Crossed: 1 out of the last 1 datapoints [{row.value} ({begin:%d/%m/%y %H:%M:%S})] {verb} "
        f"greater than the threshold ({float(row.threshold)}) (minimum 1 datapoint for {way} transition)."
    )
    data = {
        "version": "1.0",
        "queryDate": f"{row.iso[:-1]}+0000",
        "startDate": f"{begin:%Y-%m-%dT%H:%M:%S}.000+0000",
        "statistic": "Average",
        "period": row.minutes * 60,
        "recentDatapoints": [row.value],
        "threshold": float(row.threshold),
    }
    return text, data


def _states(row: Any) -> tuple[str, str]:
    return ("OK", "ALARM") if row.kind == "firing" else ("ALARM", "OK")


def _history(row: Any) -> dict[str, Any]:
    old, new = _states(row)
    reason, data = _reason(row)
    change = {
        "version": "1.0",
        "oldState": {"stateValue": old, "stateReason": "Threshold Crossed: state of the previous evaluation."},
        "newState": {"stateValue": new, "stateReason": reason, "stateReasonData": data},
    }
    return {
        "AlarmName": row.alertname,
        "AlarmType": "MetricAlarm",
        "Timestamp": row.iso,
        "HistoryItemType": "StateUpdate",
        "HistorySummary": f"Alarm updated from {old} to {new}",
        "HistoryData": dump(change),
    }


def _eventbridge(row: Any) -> dict[str, Any]:
    old, new = _states(row)
    reason, data = _reason(row)
    namespace, metric = row.metric.split(" ")
    measured = {"namespace": namespace, "name": metric, "dimensions": {_DIMENSION[row.service_kind]: row.alias}}
    return {
        "version": "0",
        "id": row.uuid,
        "detail-type": "CloudWatch Alarm State Change",
        "source": "aws.cloudwatch",
        "account": ACCOUNT,
        "time": f"{row.iso[:19]}Z",
        "region": REGION,
        "resources": [row.vendor_id],
        "detail": {
            "alarmName": row.alertname,
            "state": {
                "value": new,
                "reason": reason,
                "reasonData": dump(data),
                "timestamp": f"{row.iso[:-1]}+0000",
            },
            "previousState": {"value": old, "reason": "Threshold Crossed: state of the previous evaluation."},
            "configuration": {
                "description": _description(row),
                "metrics": [
                    {
                        "id": "m1",
                        "returnData": True,
                        "metricStat": {"metric": measured, "period": row.minutes * 60, "stat": "Average"},
                    }
                ],
            },
        },
    }


def _definition(row: Any) -> dict[str, Any]:
    namespace, metric = row.metric.split(" ")
    return {
        "AlarmName": row.alertname,
        "AlarmArn": row.vendor_id,
        "AlarmDescription": _description(row),
        "ActionsEnabled": True,
        "AlarmActions": [f"arn:aws:sns:{REGION}:{ACCOUNT}:{row.team}-alarms"],
        "MetricName": metric,
        "Namespace": namespace,
        "Statistic": "Average",
        "Dimensions": [{"Name": _DIMENSION[row.service_kind], "Value": row.alias}],
        "Period": row.minutes * 60,
        "EvaluationPeriods": 1,
        "DatapointsToAlarm": 1,
        "Threshold": float(row.threshold),
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
    }


def _description(row: Any) -> str:
    return f"team={row.team} repository={row.repository}"
