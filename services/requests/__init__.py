"""What customers ask for and report: kinds that are data, drafts, and what becomes of each request (P33–P37)."""
