"""Pods in texts: names that bear a Deployment's two hashes, and those a text calls pods."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stanza_lab.entities import naming

HASH = "[bcdfghjklmnpqrstvwxz2456789]"
_END = r"(?![A-Za-z0-9-])(?!_(?![a-z0-9-]{1,63}(?:\(|$)))"  # kubelet writes pod_namespace(uid)
_LONG = re.compile(
    rf"(?<![\w.@-])(?P<pod>[a-z0-9](?:[a-z0-9.-]{{0,200}}?[a-z0-9])?-(?P<hash>{HASH}{{6,10}}-{HASH}{{5}})){_END}(?!\.\w)"
)
_CALLED = re.compile(
    r"(?<![\w-])pods?(?:[_ .]?name)?[\"']?(?:[ :=/]{1,3})[\"'`]?(?:[a-z0-9-]{1,63}/)?"
    rf"(?P<pod>[a-z0-9][a-z0-9.-]{{0,251}}[a-z0-9]){_END}",
    re.I,
)
_DRAWN = re.compile(r"(?=[a-z]*\d)(?=[\d-]*[a-z])[a-z0-9-]+")
_ORDINAL = re.compile(r".+-\d{1,4}")


def find_pods(text: str) -> Iterator[tuple[int, int, str, bool]]:
    """Yield start, end and name of every pod in `text`, and whether the text calls it a pod.

    A hash must hold a digit and a letter: ``backend-grpcsvc-https`` fits the alphabet and is no pod.
    """
    if "-" not in text:
        return
    for match in _LONG.finditer(text):
        if _DRAWN.fullmatch(match["hash"]):
            yield *match.span("pod"), match["pod"], False
    if "pod" in text.lower():
        for match in _CALLED.finditer(text):
            pod = match["pod"]
            workload = naming.workload_of(pod, sure=True)
            if workload and (_ORDINAL.fullmatch(pod) or _DRAWN.fullmatch(pod[len(workload) + 1 :])):
                yield *match.span("pod"), pod, True
