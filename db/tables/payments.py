"""Bills, payments by wallets, their reports, and refunds."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, SmallInteger, String, Table, Text, text

from db.tables.accounts import accounts
from db.tables.columns import Code, Encrypted, Id, KeyedHash, Language, Msisdn, UtcDateTime, metadata, partial_index

# A bill that was looked up, once for an idempotency key, and whether the biller knows that it is paid.
bills = Table(
    "bills",
    metadata,
    Column("id", Id, primary_key=True),
    Column("biller", Code, nullable=False),
    Column("account", Id, ForeignKey(accounts.c.id)),
    Column("msisdn", Msisdn, nullable=False, index=True),
    Column("outcome", String(16), nullable=False),  # of the biller answer: due, none, unknown
    Column("consumer", KeyedHash(), nullable=False, index=True),  # of the consumer number
    Column("reference", KeyedHash("a bill that was paid can be paid again"), nullable=False),  # of biller and bill
    Column("content", Encrypted("bill:{idempotency_key}"), nullable=False),  # the consumer number and the bill
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("posting", String(16)),  # after the payment: due, posting, posted, refused
    Column("attempts", SmallInteger, nullable=False, server_default="0"),
    Column("due_at", UtcDateTime),  # when it is posted next
    Column("receipt", Text),  # of the biller
    Column("reason", String(40)),
    Column("idempotency_key", Text, nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False, index=True),
    Column("updated_at", UtcDateTime, nullable=False),
    Index(None, "account", "biller", "id"),
)
POSTING_PENDING = text("posting IN ('due', 'posting')")
partial_index(POSTING_PENDING, "ix_bills_posting", bills.c.due_at)
HAS_RECEIPT = text("receipt IS NOT NULL")
partial_index(HAS_RECEIPT, "ix_bills_receipt", bills.c.receipt)

payments = Table(
    "payments",
    metadata,
    Column("id", Id, primary_key=True),
    Column("key", String(32), nullable=False, unique=True),  # unguessable; identifies the payment in a webhook
    Column("purpose", String(8), nullable=False),
    Column("reference", String(64), nullable=False),  # a tracking number, or the keyed hash of a bill
    Column("subject", Code, nullable=False),  # the code of the service or of the biller
    Column("department", Code),  # of the application; null for a bill
    Column("bill", Id, ForeignKey(bills.c.id), index=True),
    Column("payer", Msisdn, nullable=False),
    Column("account", Id, ForeignKey(accounts.c.id)),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("paid_minor", BigInteger),  # the amount that the wallet reports
    Column("language", Language, nullable=False),
    Column("channel", String(16), nullable=False),
    Column("status", String(32), nullable=False),
    Column("reason", String(40)),
    Column("wallet", String(16), nullable=False),
    Column("request", Text, index=True),  # the wallet's id of the request
    Column("receipt", Text),  # of the wallet
    Column("attempts", SmallInteger, nullable=False, server_default="0"),  # the number of status polls
    Column("due_at", UtcDateTime),  # the next push or poll; null: never
    Column("idempotency_key", Text, nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("requested_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("updated_at", UtcDateTime, nullable=False),
    Index(None, "reference", "id"),
    Index(None, "account", "id"),
)
# A list of payments, newest first, filtered by one of these and by a status: each query reads one index from its cursor on.
for _what in ((), ("department",), ("subject",), ("status",), ("department", "status"), ("subject", "status")):
    _columns = (*_what, "created_at", "id")
    Index("_".join(("ix_payments", *_what, "created_at")), *(payments.c[_one] for _one in _columns))
for _one in ("payer", "wallet"):
    Index(f"ix_payments_{_one}_created_at", payments.c[_one], payments.c.created_at, payments.c.id)
partial_index(HAS_RECEIPT, "ix_payments_receipt", payments.c.receipt)
# A statement of a wallet is compared with what its payers paid in the same time.
HAS_MONEY = text("paid_minor IS NOT NULL")
partial_index(HAS_MONEY, "ix_payments_money", payments.c.wallet, payments.c.ended_at, payments.c.id)
CHARGED_TWICE = text("reason = 'PaidTwice'")
partial_index(CHARGED_TWICE, "ix_payments_charged_twice", payments.c.id)
OPEN_OR_PAID = text("status IN ('requested', 'sending', 'pending', 'unknown', 'amount_mismatch', 'paid')")
Index(
    "uq_payments_one_of_a_reference",
    payments.c.reference,
    unique=True,
    postgresql_where=OPEN_OR_PAID,
    sqlite_where=OPEN_OR_PAID,
)
partial_index(text("due_at IS NOT NULL"), "ix_payments_due", payments.c.status, payments.c.due_at)
partial_index(text("status = 'duplicate_payment'"), "ix_payments_duplicate", payments.c.reference)

# The reports of a wallet, by webhook or by poll, each once; `payment` is null if no payment matches. `wallet` and `currency`
# are of money by reference, which a person assigns to a payment or gives back.
payment_reports = Table(
    "payment_reports",
    metadata,
    Column("id", Id, primary_key=True),
    Column("payment", Id, ForeignKey(payments.c.id), index=True),
    Column("source", String(8), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("reason", String(40)),
    Column("request", Text),
    Column("receipt", Text),
    Column("amount_minor", BigInteger),
    Column("digest", KeyedHash(), nullable=False, unique=True),
    Column("received_at", UtcDateTime, nullable=False),
    Column("wallet", String(16)),
    Column("currency", String(3)),
    Column("given_back_at", UtcDateTime),
    Column("refund_receipt", Text),  # of the wallet's portal, where a person gave the money back
)
partial_index(HAS_RECEIPT, "ix_payment_reports_receipt", payment_reports.c.receipt)
UNMATCHED_MONEY = text("payment IS NULL AND outcome = 'paid' AND given_back_at IS NULL")
partial_index(UNMATCHED_MONEY, "ix_payment_reports_unmatched", payment_reports.c.id)

payment_refunds = Table(
    "payment_refunds",
    metadata,
    Column("id", Id, primary_key=True),
    Column("payment", Id, ForeignKey(payments.c.id), nullable=False, index=True),
    Column("amount_minor", BigInteger, nullable=False),
    Column("actor", Code, nullable=False),  # who requested it
    Column("explanation", String(160), nullable=False),
    Column("category", String(24)),  # why, in one word that the payer is told; null where no word fits
    Column("status", String(16), nullable=False),
    Column("reason", String(40)),
    Column("receipt", Text),
    Column("due_at", UtcDateTime),
    Column("idempotency_key", Text, nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)
partial_index(text("due_at IS NOT NULL"), "ix_payment_refunds_due", payment_refunds.c.due_at)
partial_index(HAS_RECEIPT, "ix_payment_refunds_receipt", payment_refunds.c.receipt)
NEEDS_PERSON = text("status IN ('by_hand', 'unknown', 'failed')")
partial_index(NEEDS_PERSON, "ix_payment_refunds_by_hand", payment_refunds.c.id)
RETURNED = text("status = 'returned'")
partial_index(RETURNED, "ix_payment_refunds_returned", payment_refunds.c.updated_at, payment_refunds.c.id)

# The prompts of the sandbox wallet, and the payers' answers.
sandbox_prompts = Table(
    "sandbox_prompts",
    metadata,
    Column("request", String(40), primary_key=True),
    Column("key", String(32), nullable=False, unique=True),
    Column("payer", Msisdn, nullable=False, index=True),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("about", String(16), nullable=False),
    Column("status", String(16), nullable=False),
    Column("receipt", String(16)),
    Column("returned_minor", BigInteger, nullable=False, server_default="0"),
    Column("requested_at", UtcDateTime, nullable=False),
    Column("ends_at", UtcDateTime, nullable=False),
)
