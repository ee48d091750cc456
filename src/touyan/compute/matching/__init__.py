"""Which Job runs at which site, and why: filters, then a score in yuan, then the best batch."""
