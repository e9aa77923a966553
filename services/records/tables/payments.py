"""What was asked of a wallet and what became of it, what was given back, and the bills that were paid."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, LargeBinary, SmallInteger, String, Table, Text, text

from services.records.tables.columns import Code, Id, Language, Moment, Msisdn, metadata, only_where
from services.records.tables.people import accounts

# A bill as its biller said it to whoever asked, once an effect; and whether the biller knows that it was paid.
bills = Table(
    "bills",
    metadata,
    Column("id", Id, primary_key=True),
    Column("biller", Code, nullable=False),
    Column("account", Id, ForeignKey(accounts.c.id)),
    Column("number", Msisdn, nullable=False),
    Column("outcome", String(16), nullable=False),  # what the biller answered: due, none, unknown
    Column("consumer", String(32), nullable=False),  # a keyed hash of the consumer number
    Column("reference", String(32), nullable=False),  # a keyed hash of biller and bill
    Column("content", LargeBinary, nullable=False),  # sealed: the consumer number and what the bill says
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("posting", String(16)),  # once it is paid: due, posting, posted, refused
    Column("tries", SmallInteger, nullable=False, server_default="0"),
    Column("due_at", Moment),  # when it is to be posted, and looked after
    Column("receipt", Text),  # the biller's
    Column("reason", String(40)),
    Column("effect", Text, nullable=False, unique=True),
    Column("created_at", Moment, nullable=False, index=True),
    Column("updated_at", Moment, nullable=False),
    Index(None, "account", "biller", "id"),
)
POSTING = text("posting IN ('due', 'posting')")
only_where(POSTING, "ix_bills_posting", bills.c.due_at)

payments = Table(
    "payments",
    metadata,
    Column("id", Id, primary_key=True),
    Column("key", String(32), nullable=False, unique=True),  # nobody can guess it: what a callback names it by
    Column("purpose", String(8), nullable=False),
    Column("reference", String(64), nullable=False),  # a tracking number; of a bill, a keyed hash
    Column("subject", Code, nullable=False),  # the code of the service or of the biller
    Column("bill", Id, ForeignKey(bills.c.id), index=True),
    Column("payer", Msisdn, nullable=False),
    Column("account", Id, ForeignKey(accounts.c.id)),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("paid_minor", BigInteger),  # what the wallet says was paid
    Column("language", Language, nullable=False),
    Column("channel", String(16), nullable=False),
    Column("status", String(16), nullable=False),
    Column("reason", String(40)),
    Column("wallet", String(16), nullable=False),
    Column("request", Text, index=True),  # the wallet's id of what it was asked
    Column("receipt", Text),  # the wallet's, of what was paid
    Column("tries", SmallInteger, nullable=False, server_default="0"),  # how often it was asked what became of it
    Column("due_at", Moment),  # when a worker is to ask, or to ask again; empty: never
    Column("effect", Text, nullable=False, unique=True),
    Column("created_at", Moment, nullable=False, index=True),
    Column("asked_at", Moment),
    Column("ended_at", Moment),
    Column("updated_at", Moment, nullable=False),
    Index(None, "reference", "id"),
    Index(None, "payer", "created_at"),
)
OPEN_OR_PAID = text("status IN ('asked', 'sending', 'pending', 'unknown', 'differs', 'paid')")
Index(
    "uq_payments_one_of_a_reference",
    payments.c.reference,
    unique=True,
    postgresql_where=OPEN_OR_PAID,
    sqlite_where=OPEN_OR_PAID,
)
only_where(text("due_at IS NOT NULL"), "ix_payments_due", payments.c.status, payments.c.due_at)
only_where(text("status = 'surplus'"), "ix_payments_surplus", payments.c.reference)

# What a wallet said became of a payment, by callback or when it was asked; each once, also of a payment nobody knows.
payment_reports = Table(
    "payment_reports",
    metadata,
    Column("id", Id, primary_key=True),
    Column("payment", Id, ForeignKey(payments.c.id), index=True),
    Column("how", String(8), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("reason", String(40)),
    Column("request", Text),
    Column("receipt", Text),
    Column("amount_minor", BigInteger),
    Column("digest", String(32), nullable=False, unique=True),
    Column("heard_at", Moment, nullable=False),
)

payment_refunds = Table(
    "payment_refunds",
    metadata,
    Column("id", Id, primary_key=True),
    Column("payment", Id, ForeignKey(payments.c.id), nullable=False, index=True),
    Column("amount_minor", BigInteger, nullable=False),
    Column("actor", Code, nullable=False),  # who wants it given back
    Column("why", String(160), nullable=False),
    Column("status", String(16), nullable=False),
    Column("reason", String(40)),
    Column("receipt", Text),
    Column("due_at", Moment),
    Column("effect", Text, nullable=False, unique=True),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
)
only_where(text("due_at IS NOT NULL"), "ix_payment_refunds_due", payment_refunds.c.due_at)

# The sandbox's wallets: what was put before a payer, and what they said.
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
    Column("asked_at", Moment, nullable=False),
    Column("ends_at", Moment, nullable=False),
)
