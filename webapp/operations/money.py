"""What /metrics tells of payments (P47, P50)."""

from collections.abc import Iterator
from datetime import timedelta

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from webapp.parts import Parts

_LATELY = timedelta(days=30)


def payment_figures(parts: Parts) -> Iterator[Metric]:
    """Yield what waits, and by which way and how quickly invoices were paid in the last 30 days."""
    services, now = parts.portal.payments.figures, parts.clock.now()
    queue, report = services.queue(), services.report(now - _LATELY)
    pending = "Card payments whose end is not known."
    yield GaugeMetricFamily("belepo_payments_pending", pending, value=queue.pending)
    age = int((now - queue.since).total_seconds()) if queue.since else 0
    oldest = "For how many seconds the oldest of them is under way."
    yield GaugeMetricFamily("belepo_payments_oldest_seconds", oldest, value=age)
    yield GaugeMetricFamily("belepo_refunds_due", "Payments that are to be refunded.", value=queue.to_refund)
    unmatched = "Transfers that belong to no invoice."
    yield GaugeMetricFamily("belepo_transfers_unmatched", unmatched, value=queue.unmatched)
    usual = "Time that half of the card payments of 30 days took at most."
    seconds = int((report.usual_time or timedelta()).total_seconds())
    yield GaugeMetricFamily("belepo_card_payments_usual_seconds", usual, value=seconds)
    paid = GaugeMetricFamily("belepo_payments_paid", "Payments of 30 days, by way.", labels=["way", "currency"])
    for one in report.paid:
        paid.add_metric([one.way, one.currency], one.count)
    yield paid
    words = "Card payments of 30 days that came to nothing."
    ended = GaugeMetricFamily("belepo_card_payments_ended", words, labels=["state"])
    for state, count in sorted(report.given_up.items()):
        ended.add_metric([state], count)
    yield ended
