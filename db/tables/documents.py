"""Sign-ins for documents, and the documents that were delivered."""

from sqlalchemy import Column, ForeignKey, Index, String, Table, Text

from db.tables.columns import Encrypted, Id, KeyedHash, Language, Msisdn, UtcDateTime, metadata

# The owner of an Aadhaar number in the sandbox: a keyed hash of the number, and the MSISDN that verified it first.
document_holders = Table(
    "document_holders",
    metadata,
    Column("holder", KeyedHash("an Aadhaar number of the sandbox is free for another phone"), primary_key=True),
    Column("msisdn", Msisdn, nullable=False),
    Column("linked_at", UtcDateTime, nullable=False),
)

# Sign-ins with an Aadhaar number: a keyed hash and the last four digits of it, and the access that the issuer granted,
# encrypted, for a quarter of an hour.
document_sign_ins = Table(
    "document_sign_ins",
    metadata,
    Column("id", Id, primary_key=True),
    Column("msisdn", Msisdn, nullable=False),
    Column("holder", KeyedHash(), nullable=False),
    Column("last_four", String(4), nullable=False),
    Column("status", String(16), nullable=False),
    Column("code_to", Msisdn),  # null if the issuer sends its codes itself
    Column("state", Encrypted("document sign-in:{id}")),  # set to null after its last use, like the next two
    Column("granted", Encrypted("document sign-in:{id}")),
    Column("listed", Encrypted("document list:{id}")),
    Column("idempotency_key", Text, nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("ends_at", UtcDateTime, nullable=False),
    Index(None, "msisdn", "created_at"),
    Index(None, "holder", "created_at"),
    Index(None, "ends_at"),
)

document_checks = Table(
    "document_checks",
    metadata,
    Column("id", Id, primary_key=True),
    Column("sign_in", Id, ForeignKey(document_sign_ins.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("outcome", String(16), nullable=False),
    Column("idempotency_key", Text, nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
)

# Delivered documents, until their links expire.
documents = Table(
    "documents",
    metadata,
    Column("id", Id, primary_key=True),
    Column("reference", KeyedHash(), nullable=False, unique=True),  # of the idempotency key
    Column("sign_in", Id, ForeignKey(document_sign_ins.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("content", Encrypted("document:{reference}"), nullable=False),
    Column("language", Language, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("ends_at", UtcDateTime, nullable=False, index=True),
)
