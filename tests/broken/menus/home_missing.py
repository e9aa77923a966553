"""menus: main: home is here, and this is no choice; add a Choice of this name"""

from menus.model import Goodbye

TREE = (Goodbye("stuck"),)
