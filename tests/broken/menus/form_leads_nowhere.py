"""menus: form: leads to 'confirm', which is no screen; name one that is there"""

from menus.model import Choice, Form, Goodbye, Option

TREE = (
    Choice("main", (Option("help", goto="form"),)),
    Form("form", lambda _: (), saves="form", goto="confirm"),
    Goodbye("stuck"),
)
