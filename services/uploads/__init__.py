"""Files that customers add to what they ask for: taken in, checked, and shown as renditions (P38–P41)."""
