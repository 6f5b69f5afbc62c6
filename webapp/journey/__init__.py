"""What a journey is made of: the base of a step, their order, whose browser it is, the funnel."""
