"""The pages of payments: what waits for a person, find, list, sums, refund, settle, cash, money without a payment, statements."""
