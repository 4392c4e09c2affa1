"""The Hub: a model card from a run's own records, and a push that is one commit and is loaded back."""

from crnn_hf.hub.card import model_card
from crnn_hf.hub.faults import HubError
from crnn_hf.hub.publishing import Published, push
from crnn_hf.hub.records import Report, Run, read_report, read_run
from crnn_hf.hub.spaces import push_space

__all__ = ["HubError", "Published", "Report", "Run", "model_card", "push", "push_space", "read_report", "read_run"]
