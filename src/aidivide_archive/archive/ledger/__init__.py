"""The ledger of URLs: the queue, its leases and budgets."""
