"""How bad a log line is: words and numbers of the common libraries; only error and worse are told apart."""

from __future__ import annotations

import re
from typing import Any

# Where a line says its level, in lower case, inner keys behind a dot; words before numbers that stand beside them.
LEVEL_KEYS = (
    *(
        "severitynumber",
        "severity_number",
        "log.level",
        "levelname",
        "level_name",
        "loglevel",
        "log_level",
        "severitytext",
        "severity_text",
    ),
    *("error_severity", "@l", "level", "lvl", "severity", "jsonpayload.level", "jsonpayload.severity"),
    *("levelno", "level_value", "syslog.severity", "priority"),
)
_WORDS = {
    **dict.fromkeys(("error", "err", "eror", "e", "severe", "failure", "exception"), "error"),
    **dict.fromkeys(
        ("critical", "crit", "fatal", "ftl", "f", "panic", "dpanic", "alert", "emergency", "emerg"), "critical"
    ),
    **dict.fromkeys(
        (
            *("warning", "warn", "wrn", "w", "notice", "info", "information", "informational", "inf", "i", "log"),
            *("debug", "dbg", "d", "trace", "trc", "verbose", "v", "silly", "http", "fine", "finer"),
            *("finest", "config", "success", "audit", "notset", "statement"),
        ),
        "below",
    ),
}
_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_NUMBERED = re.compile(r"([a-z]+)[2-4]")  # the ranges of OpenTelemetry: ERROR2
_IN_TEXT = re.compile(
    r"\b(?:TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERROR|FATAL|CRITICAL|SEVERE|PANIC|EMERG|ALERT)\b"
    r"|(?:(?<=level=)|(?<=lvl=)|(?<=\[))(?:trace|debug|info|notice|warn(?:ing)?|error|err|fatal|crit(?:ical)?|panic|emerg|alert)\b"
    r"|^[IWEF](?=\d{4} )"  # klog: E0514 14:02:11
)
_START = 120  # characters of a line of text in which it says its level


def rank(key: str, value: Any) -> str | None:
    """Return "error", "critical" or "below" for the level a line gives under `key`; None when it is no level."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        word = _ANSI.sub("", value).strip().rstrip(":").lower()
        if not word.removeprefix("-").isdecimal():
            match = _NUMBERED.fullmatch(word)
            return _WORDS.get(match[1] if match else word)
        value = int(word[:9])
    if not isinstance(value, (int, float)):
        return None
    return _of_number(key, value)


def level_in(line: str) -> tuple[str | None, str | None]:
    """Return the level that the beginning of a line of text tells, and its word."""
    match = _IN_TEXT.search(line[:_START])
    return (_WORDS[match[0].lower()], match[0]) if match else (None, None)


def _of_number(key: str, number: float) -> str | None:
    """Return what a number means: libraries count differently, and the size tells which one did."""
    if key in ("severitynumber", "severity_number"):  # OpenTelemetry: 17 to 20 error, 21 to 24 fatal
        return _scale(number, 17, 21) if number > 0 else None
    if key == "levelno":  # Python
        return _scale(number, 40, 50)
    if number in range(8):  # syslog: the worst is 0
        return "critical" if number <= 2 else "error" if number == 3 else "below"
    if key in ("priority", "syslog.severity"):
        return None
    if number < 100:  # bunyan, pino
        return _scale(number, 50, 60)
    if number <= 600:  # Monolog
        return _scale(number, 400, 500)
    if number <= 1_000:  # java.util.logging: SEVERE is 1000
        return _scale(number, 1_000, 1_001)
    return _scale(number, 40_000, 50_000)  # logback, log4j


def _scale(number: float, error: float, critical: float) -> str:
    return "critical" if number >= critical else "error" if number >= error else "below"
