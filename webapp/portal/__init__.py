"""The customer's portal: what stands behind the sign-in (P1–P58)."""
