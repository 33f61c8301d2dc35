"""Pages for people without a notebook: one HTML file each, complete in itself, opened from anywhere."""

from stanza_lab.report.report import write_report
from stanza_lab.report.review_page import write_review
from stanza_lab.report.single import write_figure, write_front_door

__all__ = ["write_figure", "write_front_door", "write_report", "write_review"]
