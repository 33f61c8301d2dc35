"""What `review` found: the tables of one incident, looked back on, and how they show themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stanza_lab.postmortem.markdown import document
from stanza_lab.postmortem.notebook import card_of
from stanza_lab.production import words

if TYPE_CHECKING:
    import pandas as pd

    from stanza_lab.postmortem.scene import Scene

KINDS = ("deploy", "alert", "page", "acknowledged", "joined", "action", "note", "chat", "recovery")
TIMELINE: dict[str, Any] = {
    "at": "datetime64[us, UTC]",
    "kind": "str",  # one of KINDS
    "service": "str",
    "team": "str",
    "what": "str",  # as it was written; untrusted text
    "severity": "str",  # of alerts; null elsewhere
    "source": "str",
    "ref": "str",  # alert_id, native id of the page, or event_id
    "words": "str",
}
ORIGINS: dict[str, Any] = {
    "rank": "int64",
    "service": "str",
    "team": "str",
    "probability": "float64",
    "alerts": "int64",
    "first_at": "datetime64[us, UTC]",
    "silent": "bool",
    "reasons": object,  # list of str
    "words": "str",
}
FIRST_MOVERS: dict[str, Any] = {
    "service": "str",
    "team": "str",
    "first_at": "datetime64[us, UTC]",
    "after_s": "float64",  # seconds after the first alert of the incident
    "alerts": "int64",
    "what": "str",  # its first alert; untrusted text
    "words": "str",
}
SPREAD: dict[str, Any] = {
    "service": "str",
    "team": "str",
    "state": "str",  # origin, alerted, expected
    "first_at": "datetime64[us, UTC]",
    "after_s": "float64",
    "hops": "Int64",  # links from the likely origin; null: no known way leads there
    "through": "str",  # the service before it on the likeliest way
    "confidence": "float64",  # that all links of this way are there
    "expected": "float64",  # that it alerts when the origin fails, as known before the incident
    "words": "str",
}
PAGED: dict[str, Any] = {
    "team": "str",
    "on_call": "str",
    "pages": "int64",
    "first_at": "datetime64[us, UTC]",
    "after_s": "float64",  # seconds from the first alert of the incident
    "acked_at": "datetime64[us, UTC]",
    "ack_s": "float64",  # seconds from its first page
    "services": object,  # list of str: what the pages were about
    "probability": "float64",  # that the origin is a service of theirs
    "wake": "str",  # what `whom_to_wake` says five minutes in; null where it does not name them
    "verdict": "str",  # one of VERDICTS
    "words": "str",
}
VERDICTS = ("right", "missing", "unclear", "not the origin", "not known")
TIMES: dict[str, Any] = {
    "what": "str",
    "at": "datetime64[us, UTC]",
    "seconds": "float64",
    "definition": "str",
    "words": "str",
}
QUESTIONS: dict[str, Any] = {"topic": "str", "question": "str", "because": "str"}


@dataclass(frozen=True, eq=False, repr=False)
class Review:
    """Hold one incident, looked back on: what happened, where it probably began, who was called, what to ask.

    Made by `review`. Names of services, teams and rules are as the alerts say them; nobody is named, and where people
    are asked for (``people=True``) they are pseudonyms. All tables are plain DataFrames with times in UTC.

    Attributes
    ----------
    incident : int
        Its number.
    title : str
        What it was about; untrusted text.
    timeline : DataFrame
        A row per thing that happened, in order: at, kind (deploy, alert, page, acknowledged, joined, action, note,
        chat, recovery), service, team, what (as it was written), severity, source, ref (its id), words.
    origins : DataFrame
        Where it probably began, the likeliest first: rank, service, team, probability, alerts, first_at, silent,
        reasons, words (see `rank_origins`).
    first_movers : DataFrame
        The services that nothing they depend on preceded: service, team, first_at, after_s, alerts, what, words.
    spread : DataFrame
        How it went over the map from the likeliest origin: service, team, state (origin, alerted, or expected: likely
        hit by such a failure, and it never alerted), first_at, after_s, hops, through, confidence, expected, words.
    look_alikes : DataFrame
        Incidents like it, earlier and later, the most alike first (see `look_alikes`).
    patterns : DataFrame
        Known patterns that it is an occurrence of (see `Patterns.seen_before`).
    paged : DataFrame
        A row per team that was paged, or that owns a likely origin: team, on_call, pages, first_at, after_s, acked_at,
        ack_s, services, probability, wake, verdict (right: the origin is probably theirs; missing: so it is, and nobody
        paged them; unclear; not the origin: paged for what was probably a consequence; not known: nor is where it
        began), words.
    times : DataFrame
        first alert, first page, acknowledged, mitigated, recovered, closed by the pager: what, at, seconds, definition,
        words. What is not known is null, and words say why.
    questions : DataFrame
        For the meeting, derived from what was found: topic, question, because.
    words, unseen : tuple of str
        The whole in sentences, with how sure each is; what could not be seen.
    tz : str
        Time zone that `to_markdown` and the pages show times in.
    """

    incident: int
    title: str
    timeline: pd.DataFrame
    origins: pd.DataFrame
    first_movers: pd.DataFrame
    spread: pd.DataFrame
    look_alikes: pd.DataFrame
    patterns: pd.DataFrame
    paged: pd.DataFrame
    times: pd.DataFrame
    questions: pd.DataFrame
    words: tuple[str, ...]
    unseen: tuple[str, ...]
    tz: str
    scene: Scene

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """The tables by name, in the order in which people read them."""
        names = (
            "times", "timeline", "origins", "first_movers", "spread", "paged", "look_alikes", "patterns", "questions",
        )  # fmt: skip
        return {name: getattr(self, name) for name in names}

    def to_markdown(self, *, rows: int = 60) -> str:
        """Return the review as Markdown, to paste into whatever keeps such documents.

        Text of alerts, notes and names is escaped: it makes no link, picture, table, heading, mention or HTML.

        Parameters
        ----------
        rows : int, default 60
            Most rows of the timeline, 1 or more; what the same rule of the same service does again is folded into one
            before. Larger: longer.

        Returns
        -------
        str
            Ends with a line break. Times are in the review's time zone, which its first lines name.

        Examples
        --------
        >>> import pandas as pd
        >>> import stanza_lab as sl
        >>> alerts = pd.DataFrame({
        ...     "starts_at": ["2026-03-01T14:02Z", "2026-03-01T14:04Z"],
        ...     "service": ["orders-db", "orders"], "alertname": ["Slow queries", "Errors"], "incident_id": [7, 7],
        ... })
        >>> sl.review(alerts, incident=7).to_markdown().splitlines()[0]
        '# Incident 7: orders-db, orders: Errors'
        """
        return document(self, rows=rows)

    def __repr__(self) -> str:
        """Say in one line which incident this is and what there is to read."""
        sizes = [
            words.count(len(self.timeline), "event"),
            words.count(len(self.spread), "service"),
            words.count(len(self.questions), "question"),
        ]
        begin = "" if self.timeline.empty else f" of {self.scene.begin:%Y-%m-%d %H:%M} UTC"
        return f"Review(incident {self.incident}{begin}: {', '.join(sizes)})"

    def _repr_html_(self) -> str:
        return card_of(self)
