"""Registrations in figures: what is counted of them, and what the counts tell. Nothing in them is about a person."""

from services.figures.observations import ENTERED, FINISHED, REFUSED, STOPPED, Observations
from services.figures.report import CHANNELS, Chosen, Figures, Passage, Report

__all__ = [
    "CHANNELS",
    "ENTERED",
    "FINISHED",
    "REFUSED",
    "STOPPED",
    "Chosen",
    "Figures",
    "Observations",
    "Passage",
    "Report",
]
