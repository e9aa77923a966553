"""The messages of the gateway: enqueued with their cause, claimed by one worker, sent at most once.

`models` has the values and `kinds` the rules of each kind; `messages` works on the table through `queries`; `outbox` sends.
`delivery_reports` matches what providers report, and `message_status` describes a message for a list.
"""
