"""Who proved themselves for documents, and what was handed over."""

from sqlalchemy import Column, ForeignKey, Index, LargeBinary, String, Table, Text

from services.records.tables.columns import Id, Language, Moment, Msisdn, metadata

# Whose an Aadhaar number is in the sandbox: the keyed hash of the number, and the MSISDN that proved itself with it first.
document_holders = Table(
    "document_holders",
    metadata,
    Column("holder", String(32), primary_key=True),
    Column("number", Msisdn, nullable=False),
    Column("linked_at", Moment, nullable=False),
)

# Who asked for an Aadhaar number's documents: of the number a keyed hash and four digits, of what was granted for it as
# much as opens them for a quarter of an hour, sealed.
document_sign_ins = Table(
    "document_sign_ins",
    metadata,
    Column("id", Id, primary_key=True),
    Column("number", Msisdn, nullable=False),
    Column("holder", String(32), nullable=False),
    Column("last_four", String(4), nullable=False),
    Column("status", String(16), nullable=False),
    Column("code_to", Msisdn),  # empty where the issuer sends its codes itself
    Column("state", LargeBinary),  # sealed, as are the next two; each is emptied once it is of no use any more
    Column("granted", LargeBinary),
    Column("listed", LargeBinary),
    Column("effect", Text, nullable=False, unique=True),
    Column("created_at", Moment, nullable=False),
    Column("ends_at", Moment, nullable=False),
    Index(None, "number", "created_at"),
    Index(None, "holder", "created_at"),
    Index(None, "ends_at"),
)

document_checks = Table(
    "document_checks",
    metadata,
    Column("id", Id, primary_key=True),
    Column("sign_in", Id, ForeignKey(document_sign_ins.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("outcome", String(16), nullable=False),
    Column("effect", Text, nullable=False, unique=True),
    Column("created_at", Moment, nullable=False),
)

# What was handed over, for as long as the link to it works.
documents = Table(
    "documents",
    metadata,
    Column("id", Id, primary_key=True),
    Column("reference", String(32), nullable=False, unique=True),  # a keyed hash of the effect
    Column("sign_in", Id, ForeignKey(document_sign_ins.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("content", LargeBinary, nullable=False),  # sealed
    Column("language", Language, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("ends_at", Moment, nullable=False, index=True),
)
