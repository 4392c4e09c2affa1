"""What a corpus is like, and whether something other than the voice tells its fakes from its real clips.

A detector takes the easiest way there is. Where the fakes of a corpus are quieter than its real clips, or begin
without a pause, it learns that, and is worthless elsewhere. So each measure here is also asked how well it separates
the classes on its own.
"""

from crnn_hf.data.statistics.describing import ClassStatistics, Statistics, describe
from crnn_hf.data.statistics.measuring import MEASURES, Measure, measure
from crnn_hf.data.statistics.picture import draw
from crnn_hf.data.statistics.separation import Separation, SeparationTogether, separation, separation_together
from crnn_hf.data.statistics.table import as_table

__all__ = [
    "MEASURES",
    "ClassStatistics",
    "Measure",
    "Separation",
    "SeparationTogether",
    "Statistics",
    "as_table",
    "describe",
    "draw",
    "measure",
    "separation",
    "separation_together",
]
