"""The voice channel: every call is rejected, which costs the caller nothing, and answered by SMS."""
