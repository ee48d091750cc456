"""Who used what, who lent it, and what it cost: an append-only ledger in double entry, and vouchers that pay in advance."""
