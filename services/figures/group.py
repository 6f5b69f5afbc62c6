"""The services of figures."""

from dataclasses import dataclass

from services.base import Base
from services.figures.observations import Observations
from services.figures.report import Figures


@dataclass(frozen=True)
class FigureServices:
    """The counters of the registration's steps, and the reports made of them."""

    funnel: Observations
    reports: Figures


def build_figures(base: Base) -> FigureServices:
    """Build the counters of this process and the reports over all processes."""
    return FigureServices(Observations(base), Figures(base))
