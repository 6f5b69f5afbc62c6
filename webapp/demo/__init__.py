"""The testers' part of demo mode: inbox, clock, data, states. Nothing here is imported outside of demo mode."""
