"""One's own data: all that is kept of a citizen in one place, to be read by them, and to be forgotten.

`held` says what a part of the records tells and forgets; `people`, `dealings` and `traffic` are those parts, each a table
or two; `desk` puts them together. A new table about citizens gets a part of its own there.
"""

from services.own_data.desk import LIVES, USES, Asking, Collected, OwnData, Telling
from services.own_data.held import Held, Item, Record, Section, Whose

__all__ = ["LIVES", "USES", "Asking", "Collected", "Held", "Item", "OwnData", "Record", "Section", "Telling", "Whose"]
