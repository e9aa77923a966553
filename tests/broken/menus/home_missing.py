"""menus: main: the home screen is not a choice; add a Choice of this name"""

from menus.model import Goodbye

TREE = (Goodbye("stuck"),)
