"""menus: form: leads to 'confirm', which is not a screen; use an existing name"""

from menus.model import Choice, Form, Goodbye, Option

TREE = (
    Choice("main", (Option("help", goto="form"),)),
    Form("form", lambda _: (), save_as="form", goto="confirm"),
    Goodbye("stuck"),
)
