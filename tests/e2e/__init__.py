"""The end-to-end suite: visitors in real browsers walk the journeys of a running server."""
