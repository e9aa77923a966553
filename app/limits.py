"""Build the limits on what callers may cause, from the settings."""

from typing import NamedTuple

from app.resources import Resources
from config.settings import Settings
from core.rate_limit import (
    FallbackWindowCounter,
    LocalWindowCounter,
    MissLimit,
    MissLimiter,
    RedisWindowCounter,
    WindowCounter,
)
from db.database import Database
from services.applications.beneficiary_limits import BeneficiaryGuard, BeneficiaryLimits
from services.citizens.sms_pumping import SmsLimits
from services.citizens.unverified_sms import UnverifiedSmsLimiter
from services.payments.lookup_limits import LookupLimits, LookupQuotas


class CodeLimits(NamedTuple):
    """The limits on one-time codes that verified and unverified callers request."""

    verified: SmsLimits
    unverified: SmsLimits


def build_code_limits(settings: Settings) -> CodeLimits:
    """The limits on one-time codes."""
    codes = settings.codes
    verified = SmsLimits(
        per_prefix_per_hour=codes.per_prefix_per_hour,
        per_country_per_hour=codes.per_country_per_hour,
        country_overrides=codes.countries,
        per_day=codes.per_day,
        min_sample=codes.min_sample,
        min_entry_rate=codes.min_entry_rate,
    )
    unverified = verified.cap(
        per_prefix_per_hour=codes.unverified_per_prefix_per_hour,
        per_country_per_hour=codes.unverified_per_country_per_hour,
        per_day=codes.unverified_per_day,
    )
    return CodeLimits(verified, unverified)


def build_unverified_sms_limiter(settings: Settings, resources: Resources) -> UnverifiedSmsLimiter:
    """The limit in front of every SMS that an unverified caller causes."""
    unverified = settings.unverified_sms
    limits = SmsLimits(
        per_number_per_hour=unverified.per_number_per_hour,
        per_number_per_day=unverified.per_number_per_day,
        per_prefix_per_hour=unverified.per_prefix_per_hour,
        per_country_per_hour=unverified.per_country_per_hour,
        country_overrides=unverified.countries,
        per_day=unverified.per_day,
        min_entry_rate=0,
        alarm_at_limit=True,
    )
    code_limits = build_code_limits(settings).unverified
    return UnverifiedSmsLimiter(resources.store.client, resources.cipher, limits, code_limits=code_limits)


def build_miss_limiter(resources: Resources, scope: str, max_misses: int) -> MissLimiter:
    """A limit on requests for values that do not exist, such as tracking numbers."""
    return MissLimiter(resources.store.client, resources.cipher.keyed_hash, MissLimit(scope, max_misses))


def build_beneficiary_guard(settings: Settings, database: Database) -> BeneficiaryGuard:
    """The limits on applications for other people."""
    limits = BeneficiaryLimits(
        per_account_per_day=settings.applications.for_others_per_account_per_day,
        per_beneficiary_per_day=settings.applications.for_others_per_beneficiary_per_day,
    )
    return BeneficiaryGuard(database, limits)


def build_shared_counter(resources: Resources) -> WindowCounter:
    """A counter of all processes, and of this process alone while Redis is down."""
    return FallbackWindowCounter(RedisWindowCounter(resources.store.client), LocalWindowCounter())


def build_lookup_limits(settings: Settings, resources: Resources) -> LookupLimits:
    """The limits on bills that are looked up."""
    payments = settings.payments
    quotas = LookupQuotas(
        per_caller=payments.lookups_per_caller_per_hour,
        per_consumer=payments.lookups_per_consumer_per_hour,
        per_biller=payments.lookups_per_biller_per_hour,
    )
    return LookupLimits(build_shared_counter(resources), resources.cipher.keyed_hash, quotas)
