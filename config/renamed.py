"""Settings that had another name in an earlier version. The loader refuses the old name and says the new one."""

from collections.abc import Mapping

from core.errors import KeyPath

RENAMED_SETTINGS: Mapping[KeyPath, KeyPath] = {
    ("server", "var"): ("server", "data_dir"),
    # ussd.session_ttl exists again with another meaning, so its old use cannot be told from the new one.
    ("ussd", "resume_window"): ("ussd", "session_ttl"),
    ("ussd", "vouches"): ("ussd", "caller_number_verified"),
    ("sms", "parallel"): ("sms", "concurrency"),
    ("mail", "parallel"): ("mail", "concurrency"),
    ("codes", "prefix"): ("codes", "per_prefix_per_hour"),
    ("codes", "country"): ("codes", "per_country_per_hour"),
    ("codes", "daily"): ("codes", "per_day"),
    ("codes", "watched"): ("codes", "min_sample"),
    ("codes", "entered"): ("codes", "min_entry_rate"),
    ("missed_calls", "most_a_day"): ("missed_calls", "daily_limit"),
    ("missed_calls", "abroad_a_day"): ("missed_calls", "unsupported_country_daily_limit"),
    ("documents", "most_octets"): ("documents", "max_bytes"),
    ("documents", "link_uses"): ("documents", "link_max_uses"),
    ("documents", "link_hours"): ("documents", "link_ttl_hours"),
    ("tracking", "unknown_numbers"): ("tracking", "max_misses_per_caller"),
    ("tracking", "unknown_prefix"): ("tracking", "max_misses_per_prefix"),
    ("departments", "*", "ask_again"): ("departments", "*", "health_check_interval"),
    ("departments", "*", "former_secret"): ("departments", "*", "previous_secret"),
    ("departments", "*", "parallel"): ("departments", "*", "concurrency"),
    ("payments", "after_call"): ("payments", "push_delay"),
    ("payments", "base_url"): ("payments", "daraja", "base_url"),
    ("payments", "consumer_key"): ("payments", "daraja", "consumer_key"),
    ("payments", "consumer_secret"): ("payments", "daraja", "consumer_secret"),
    ("payments", "short_code"): ("payments", "daraja", "short_code"),
    ("payments", "passkey"): ("payments", "daraja", "passkey"),
    ("payments", "till"): ("payments", "daraja", "till"),
    ("payments", "callback_token"): ("webhooks", "tokens"),
    ("payments", "allowed_ips"): ("webhooks", "allowed_ips"),
    ("africastalking", "username"): ("providers", "africastalking", "username"),
    ("africastalking", "api_key"): ("providers", "africastalking", "api_key"),
    ("africastalking", "base_url"): ("providers", "africastalking", "base_url"),
    ("africastalking", "sender_id"): ("providers", "africastalking", "sender_id"),
    ("africastalking", "deadline"): ("providers", "africastalking", "deadline"),
    ("africastalking", "callback_token"): ("webhooks", "tokens"),
    ("africastalking", "allowed_ips"): ("webhooks", "allowed_ips"),
    ("africastalking", "trusted_proxies"): ("webhooks", "trusted_proxies"),
}
"""Old key path to new key path. `*` stands for any one key."""
