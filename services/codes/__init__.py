"""One-time codes and how they are sent."""
