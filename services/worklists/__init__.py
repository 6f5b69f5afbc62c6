"""Worklists: who has not registered yet, invitations and reminders to them (B2, T2), and data to be put right.

An adviser has their own customers in every list and no others. Names stay masked until it is recorded how the customer
was identified, as everywhere in the console.
"""

from services.worklists.invitations import Batch, Invitations
from services.worklists.lists import LISTS, View
from services.worklists.quality import KINDS, QualityCases, QualityLine
from services.worklists.unregistered import Line, Unregistered
from services.worklists.worker import WorklistWorker

__all__ = [
    "KINDS",
    "LISTS",
    "Batch",
    "Invitations",
    "Line",
    "QualityCases",
    "QualityLine",
    "Unregistered",
    "View",
    "WorklistWorker",
]
