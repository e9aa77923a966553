"""Staff who sign in to the console, their recovery codes and their sessions."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, String, Table

from db.tables.columns import Code, Digest, Encrypted, Id, Language, SecretHash, UtcDateTime, metadata

# `department` is empty but for an officer. `code_secret` is null until an authenticator app is enrolled; `code_step` is the
# time step of the last code that was used, which is not accepted again.
staff = Table(
    "staff",
    metadata,
    Column("id", Id, primary_key=True),
    Column("login", String(32), nullable=False, unique=True),
    Column("name", Encrypted("staff:{login}"), nullable=False),
    Column("role", String(16), nullable=False),
    Column("department", Code, nullable=False, server_default=""),
    Column("language", Language, nullable=False),
    Column("password_hash", SecretHash, nullable=False),
    Column("password_chosen", Boolean(create_constraint=False), nullable=False),
    Column("code_secret", Encrypted("staff-code:{login}")),
    Column("code_step", BigInteger, nullable=False, server_default="0"),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("lockouts", Integer, nullable=False, server_default="0"),
    Column("locked_until", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False),
    Column("signed_in_at", UtcDateTime),
    Column("disabled_at", UtcDateTime, index=True),
)

staff_recovery_codes = Table(
    "staff_recovery_codes",
    metadata,
    Column("id", Id, primary_key=True),
    Column("staff", Id, ForeignKey(staff.c.id, ondelete="CASCADE"), nullable=False),
    Column("digest", Digest, nullable=False, unique=True),
    Column("used_at", UtcDateTime),
    Index(None, "staff"),
)

# A session is named by the digest of its token. `proved_at` is when its holder last gave a code, or else the password.
staff_sessions = Table(
    "staff_sessions",
    metadata,
    Column("id", Id, primary_key=True),
    Column("digest", Digest, nullable=False, unique=True),
    Column("staff", Id, ForeignKey(staff.c.id, ondelete="CASCADE"), nullable=False, index=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
    Column("proved_at", UtcDateTime, nullable=False),
)
