"""Every message to send: a row written together with what caused it, claimed by one worker, sent at most once.

`kinds` says what follows from a message's kind, `values` what is asked for and told, `rows` what is done with the rows,
by the `statements`; `delivery` ranks what the provider reports, `reports` matches it, and `states` says it all in words.
"""

from services.messages.delivery import Delivery, Report
from services.messages.kinds import RULES, Kind, Medium, Rule
from services.messages.rows import Messages, Settled
from services.messages.states import Depth, Stage, State
from services.messages.values import Claimed, Ended, Ending, Message

__all__ = [
    "RULES",
    "Claimed",
    "Delivery",
    "Depth",
    "Ended",
    "Ending",
    "Kind",
    "Medium",
    "Message",
    "Messages",
    "Report",
    "Rule",
    "Settled",
    "Stage",
    "State",
]
