"""What there is to read beside the journey."""

from webapp.demo.states.catalogue import state
from webapp.demo.states.walker import Walker


@state("documents")
def terms_page(walker: Walker) -> None:
    """The terms in force."""
    walker.visit("terms.in_force")


@state("documents")
def terms_page_older(walker: Walker) -> None:
    """Terms that newer ones have replaced."""
    older = walker.parts.profile.terms[0].version
    walker.publish_terms()
    walker.visit("terms.one", version=older)


@state("documents", needs="consents")
def notice_page(walker: Walker) -> None:
    """The privacy notice in force."""
    walker.visit("notice.in_force")


@state("documents")
def accessibility_statement(walker: Walker) -> None:
    """What is tested, and what is not."""
    walker.visit("accessibility.statement")


@state("documents")
def inbox(walker: Walker) -> None:
    """What the demonstration has sent."""
    walker.walk_to("sms-code")
    walker.visit("demo.inbox")
