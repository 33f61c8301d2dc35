"""What Amazon Q (AWS Chatbot) and terraform-aws-notify-slack post: CloudWatch, GuardDuty, Health, Backup, events."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from stanza_lab.loaders._records import Ignored, embedded, mapping, name
from stanza_lab.loaders._slack_alert import NO_ALERT, Alert, Bot, Found, lines_of

if TYPE_CHECKING:
    from stanza_lab.loaders._slack_text import Content


def amazon(said: Content, _bot: Bot) -> Found:
    """Read what terraform-aws-notify-slack and AWS Chatbot (Amazon Q) post."""
    stated = said.stated
    chatbot = next((m for line in lines_of(said) if (m := _CHATBOT.search(line))), None)
    alarm = chatbot["alarm"].strip() if chatbot else stated.get("alarm name")
    word = stated.get("current state") or stated.get("state")
    if alarm:
        new = (word or (_CHATBOT_COLOURS.get(said.colour or "") if chatbot else None) or "").upper()
        kind = {"ALARM": "fired", "OK": "resolved"}.get(new)
        if new == "INSUFFICIENT_DATA" and stated.get("old state", "").upper() == "ALARM":
            kind = "resolved"
        if kind is None:
            return Ignored("slack message of a CloudWatch alarm that neither fired nor recovered")
        region = next((m[1] for url, _ in said.links if (m := re.search(r"[?&]region=([a-z0-9-]+)", url))), None)
        place = {"region": region, "account": None}
        if chatbot:
            place = {"region": chatbot["region"].strip(), "account": chatbot["account"]}
        rule = "|".join((alarm, *(value for value in place.values() if value)))
        return Alert("cloudwatch", kind, alarm, rule, stated=place)
    if finding := stated.get("finding type"):
        title = _after(said, "GuardDuty Finding") or finding
        return Alert("guardduty", "fired", title, title, has_recovery=False, severity=stated.get("severity"))
    if scan := _after(said, "GuardDuty Malware Scan Result"):
        if scan != "THREATS_FOUND":
            return NO_ALERT
        held = "/".join(v for k in ("s3 bucket", "s3 object") if (v := stated.get(k)))
        rule = f"GuardDuty Malware Scan Result|{held}"
        return Alert("guardduty", "fired", "GuardDuty Malware Scan Result", rule, has_recovery=False)
    if code := stated.get("code") if "affected service" in stated else None:
        rule = "|".join(filter(None, (code, stated.get("affected region"), stated.get("affected resources"))))
        return Alert("aws_health", "fired", code, rule, has_recovery=False)
    if "detail-type" in stated and "detail" in stated:
        return _aws_event(said)
    job = next((line for line in said.titles if re.search(r"\bAWS (?:Backup|Copy) job\b", line)), None)
    if job is not None:
        if said.colour == "green":
            return NO_ALERT
        rule = "|".join(filter(None, (job, stated.get("resource arn"))))
        return Alert("aws_backup", "fired", job, rule, has_recovery=False)
    return None


_CHATBOT = re.compile(r"CloudWatch Alarm \| (?P<alarm>.+?) \| (?P<region>[^|]+?) \| Account: (?P<account>\d+)")
_CHATBOT_COLOURS = {"red": "ALARM", "green": "OK"}


def _aws_event(said: Content) -> Found:
    """Read an event of AWS that tells of a failure; the others are no alerts."""
    detail = mapping(embedded(said.stated["detail"]))
    if str(detail.get("state")).upper() not in ("FAILED", "TIMEOUT", "TIMED_OUT", "ERROR"):
        return NO_ALERT
    called = said.stated["detail-type"]
    what = next((v for key in ("jobName", "name", "taskArn", "id") if (v := name(detail.get(key)))), "")
    source = said.stated.get("source", "aws").replace(".", "_").lower()
    return Alert(
        source,
        "fired",
        called,
        f"{called}|{what}",
        has_recovery=False,
        severity=name(detail.get("severity")),
        summary=f"{called}: {what} {detail.get('state')}",
        time=said.stated.get("time"),
    )


def _after(said: Content, words: str) -> str | None:
    """Return what stands behind `words` and a dash or colon in a line."""
    for line in lines_of(said):
        _, found, rest = line.partition(words)
        if found and (rest := rest.lstrip(" :-")):
            return rest
    return None
