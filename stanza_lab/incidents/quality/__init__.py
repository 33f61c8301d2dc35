"""How good a grouping is: measures, mistakes, and the labels they are measured against."""

from stanza_lab.incidents.quality import metrics
from stanza_lab.incidents.quality.corrections import Corrections
from stanza_lab.incidents.quality.labels import read_labels
from stanza_lab.incidents.quality.pages import labels_from_pages
from stanza_lab.incidents.quality.spans import labels_from_spans

__all__ = ["Corrections", "labels_from_pages", "labels_from_spans", "metrics", "read_labels"]
