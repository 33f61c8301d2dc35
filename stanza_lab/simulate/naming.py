"""Names and ids as each vendor gives them, drawn once per production."""

from __future__ import annotations

import numpy as np
import pandas as pd

from stanza_lab.simulate.monitors import RULES
from stanza_lab.simulate.topology import ACCOUNT, REGION, Topology

HEX = "0123456789abcdef"
DIGITS = "123456789"
UPPER = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
POD = "bcdfghjklmnpqrstvwxz2456789"  # what Kubernetes draws the random ends of pod names from


def codes(rng: np.random.Generator, count: int, length: int, alphabet: str) -> np.ndarray:
    """Draw `count` strings of `length` characters."""
    letters = np.array(list(alphabet))[rng.integers(0, len(alphabet), size=(count, length))]
    return letters.view(f"<U{length}").ravel() if count else np.zeros(0, dtype=f"<U{length}")


def iso(ms: pd.Series | np.ndarray) -> np.ndarray:
    """Write instants (ms since 1970) as ``2026-07-01T00:00:00.000Z``."""
    text = np.datetime_as_string(np.asarray(ms, dtype="datetime64[ms]"), unit="ms")
    return np.char.add(text, "Z")


def name_monitors(rng: np.random.Generator, monitors: pd.DataFrame, topology: Topology) -> pd.DataFrame:
    """Add to the monitors what their vendor calls them.

    Returns
    -------
    DataFrame
        The monitors with vendor_id (Datadog monitor id, CloudWatch ARN, Sentry issue id), alertname and rule_key.
    """
    services = topology.services
    service, rule = monitors["service"].to_numpy(), monitors["rule"].to_numpy()
    # A team sets a Datadog monitor up once, for all its services: one id, one group per service.
    team = pd.factorize(services["team"])[0][service]
    datadog = (141_000_000 + np.argsort(rng.random(len(RULES) * (team.max(initial=0) + 1))))[team * len(RULES) + rule]
    issue = codes(rng, len(monitors), 10, DIGITS)
    names, aliases = services["service"].to_numpy()[service], services["alias"].to_numpy()[service]
    rows = []
    for number, vendor in enumerate(monitors["vendor"]):
        name = RULES[rule[number]].name
        if vendor == "cloudwatch":
            name = f"{aliases[number]}-{name}"
            vendor_id = rule_key = f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{name}"
        elif vendor == "datadog":
            vendor_id = str(datadog[number])
            rule_key = f"{vendor_id}|service:{names[number]}"
        else:
            vendor_id = rule_key = str(issue[number])
        rows.append((vendor_id, name, rule_key))
    named = pd.DataFrame(rows, columns=["vendor_id", "alertname", "rule_key"], dtype="str")
    return pd.concat([monitors.reset_index(drop=True), named], axis=1)


def name_records(rng: np.random.Generator, monitors: pd.DataFrame, records: pd.DataFrame) -> pd.DataFrame:
    """Add native_id (Datadog and Sentry: drawn; CloudWatch: alarm name and time) and event_id to the records.

    They are one, but for Datadog: there every shape has the event's number, and API v2 an id of its own as well.
    """
    monitor = records["monitor"].to_numpy()
    vendor = monitors["vendor"].to_numpy()[monitor]
    names = monitors["alertname"].to_numpy()[monitor]
    datadog = np.char.add("AgAAAZ", codes(rng, len(records), 26, LETTERS))
    sentry = codes(rng, len(records), 32, HEX)
    native = [
        f"{name}|{at}" if who == "cloudwatch" else dog if who == "datadog" else issue
        for who, name, at, dog, issue in zip(vendor, names, iso(records["at_ms"]), datadog, sentry, strict=True)
    ]
    numbers = codes(rng, len(records), 19, DIGITS[:8])
    event = [number if who == "datadog" else own for who, number, own in zip(vendor, numbers, native, strict=True)]
    named = {"native_id": native, "event_id": event}
    return records.assign(**{key: pd.Series(ids, index=records.index, dtype="str") for key, ids in named.items()})
