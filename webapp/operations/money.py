"""What /metrics tells of payments (P47, P50)."""

from collections.abc import Iterator
from datetime import timedelta

from webapp.parts import Parts

_LATELY = timedelta(days=30)


def payment_figures(parts: Parts) -> Iterator[str]:
    """Yield what waits, and by which way and how quickly invoices were paid in the last 30 days."""
    services, now = parts.portal.payments.figures, parts.clock.now()
    queue, report = services.queue(), services.report(now - _LATELY)
    gauges = {
        "belepo_payments_pending": ("Card payments whose end is not known", queue.pending),
        "belepo_payments_oldest_seconds": (
            "For how many seconds the oldest of them is under way",
            int((now - queue.since).total_seconds()) if queue.since else 0,
        ),
        "belepo_refunds_due": ("Payments that are to be refunded", queue.to_refund),
        "belepo_transfers_unmatched": ("Transfers that belong to no invoice", queue.unmatched),
        "belepo_card_payments_usual_seconds": (
            "Time that half of the card payments of 30 days took at most",
            int((report.usual_time or timedelta()).total_seconds()),
        ),
    }
    for name, (words, figure) in gauges.items():
        yield f"# HELP {name} {words}.\n# TYPE {name} gauge\n{name} {figure}\n"
    yield "# HELP belepo_payments_paid Payments of 30 days, by way.\n# TYPE belepo_payments_paid gauge\n"
    for one in report.paid:
        yield f'belepo_payments_paid{{way="{one.way}",currency="{one.currency}"}} {one.count}\n'
    yield "# HELP belepo_card_payments_ended Card payments of 30 days that came to nothing.\n"
    yield "# TYPE belepo_card_payments_ended gauge\n"
    for state, count in sorted(report.given_up.items()):
        yield f'belepo_card_payments_ended{{state="{state}"}} {count}\n'
