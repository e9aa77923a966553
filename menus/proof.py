"""Proof of who is asking: what a step does that matters, what it asks for on each kind of channel, and where it is given.

A channel *vouches* for a number where the network of the caller guarantees it, as in a USSD session. The sender of an SMS
can be forged, so on a channel that does not vouch a step that commits asks for the PIN or a code in the same input.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from menus.model import Facts, StepContext


class Proof(StrEnum):
    """What a caller shows before a step runs, from the weakest to the strongest."""

    NONE = "none"
    """Nothing: anyone who knows the number may do it."""
    NUMBER = "number"
    """The network vouches for the caller's number."""
    WALLET = "wallet"
    """The network vouches for the number, and the wallet asks for its own PIN on that phone before money moves."""
    ISSUER_CODE = "issuer code"
    """In this session the caller typed a code that the issuer of the documents sent to the holder's phone."""
    SESSION = "session"
    """The caller signed in with their PIN, in this session of this channel."""
    ANSWERS = "answers"
    """In this session the caller answered the security questions."""
    CODE = "code"
    """A one-time code sent to the phone. Where the channel does not vouch, typed for this very act."""
    PIN = "PIN"
    """The PIN, typed for this very act."""
    PIN_OR_CODE = "PIN or code"
    """The PIN, typed for this very act; a one-time code where the number has no account."""
    CODE_AND_ANSWERS = "code and answers"
    """A one-time code and the answers to the security questions."""
    OPERATOR_PIN = "operator's PIN"
    """The PIN of the operator who is signed in, typed for this very act."""


class Effect(StrEnum):
    """What a step does that matters to somebody whom the caller may only claim to be."""

    COMMITS = "commits"
    """It records something in the citizen's name."""
    COSTS = "costs"
    """It asks for money."""
    REVEALS = "reveals"
    """It shows or sends what only the citizen may know."""
    ACCESS = "access"
    """It changes who may sign in."""


COMMITS: Final = frozenset({Effect.COMMITS})
REVEALS: Final = frozenset({Effect.REVEALS})
ACCESS: Final = frozenset({Effect.ACCESS})
COSTS: Final = frozenset({Effect.COSTS})


@dataclass(frozen=True, slots=True)
class Needs:
    """The proof that a step asks for, by who asks.

    `vouched`: a caller on a channel that vouches for the number. `unvouched`: one on a channel that does not. `operator`: an
    operator who acts for a citizen, beside the citizen's consent. `unchanged_sim`: the network is also asked whether the SIM
    of the number was replaced lately, where it can be asked.
    """

    vouched: Proof
    unvouched: Proof
    operator: Proof = Proof.OPERATOR_PIN
    unchanged_sim: bool = False

    def select(self, *, vouched: bool, is_operator: bool) -> Proof:
        """The proof that this caller must give."""
        if is_operator:
            return self.operator
        return self.vouched if vouched else self.unvouched


NO_PROOF: Final = Needs(Proof.NONE, Proof.NONE, Proof.NONE)
"""For what harms nobody, whoever does it: to sign out, or to send a public text to the phone itself."""
ANYONE: Final = Needs(Proof.NONE, Proof.NONE)
"""For what anyone may do who knows the number: it reveals nothing, costs nothing, and the citizen can undo it."""
SIGNED_IN: Final = Needs(Proof.SESSION, Proof.SESSION, Proof.SESSION)
FRESH_PIN: Final = Needs(Proof.PIN, Proof.PIN)
"""The PIN for this very act."""
FRESH_PIN_AND_SIM: Final = Needs(Proof.PIN, Proof.PIN, unchanged_sim=True)
OPERATOR_PIN: Final = Needs(Proof.OPERATOR_PIN, Proof.OPERATOR_PIN)
PAYER: Final = Needs(Proof.WALLET, Proof.PIN_OR_CODE, unchanged_sim=True)
"""For a payment, which the wallet has confirmed by its own PIN on the payer's phone."""
DOCUMENT_HOLDER: Final = Needs(Proof.ISSUER_CODE, Proof.ISSUER_CODE, Proof.ISSUER_CODE, unchanged_sim=True)
RECOVERY: Final = Needs(Proof.CODE_AND_ANSWERS, Proof.CODE_AND_ANSWERS, unchanged_sim=True)
REGISTRATION: Final = Needs(Proof.NUMBER, Proof.CODE)
SESSION_OR_PIN: Final = Needs(Proof.SESSION, Proof.PIN)
"""Signed in where the channel vouches; the PIN for this very act where it does not."""
NUMBER_OR_CODE: Final = Needs(Proof.NUMBER, Proof.PIN_OR_CODE)
"""The number where the channel vouches; the PIN or a code for this very act where it does not."""

COMPONENTS: Final[Mapping[Proof, frozenset[Proof]]] = {
    Proof.NONE: frozenset(),
    Proof.NUMBER: frozenset({Proof.NUMBER}),
    Proof.WALLET: frozenset({Proof.NUMBER}),  # the wallet asks for the rest
    Proof.ISSUER_CODE: frozenset({Proof.ISSUER_CODE}),
    Proof.SESSION: frozenset({Proof.SESSION}),
    Proof.ANSWERS: frozenset({Proof.ANSWERS}),
    Proof.CODE: frozenset({Proof.CODE}),
    Proof.PIN: frozenset({Proof.PIN}),
    Proof.PIN_OR_CODE: frozenset({Proof.PIN_OR_CODE}),
    Proof.CODE_AND_ANSWERS: frozenset({Proof.ANSWERS, Proof.CODE}),
    Proof.OPERATOR_PIN: frozenset({Proof.OPERATOR_PIN}),
}
"""What each proof consists of. Answers come first: a code is typed last where it is typed for the act."""
FRESH_PROOFS: Final = frozenset({Proof.PIN, Proof.CODE, Proof.PIN_OR_CODE, Proof.OPERATOR_PIN})
"""Proofs that serve one act, in the input in which they are typed."""
STORED_PROOFS: Final = frozenset({Proof.ANSWERS, Proof.CODE})
"""Proofs that a session remembers, so that a flow of several screens can rely on them. A code is remembered only where the
channel vouches for the number.
"""

PROVED_FACT: Final = "proved"
"""The fact that lists the stored proofs of the session."""
PENDING_FACT: Final = "pending_act"
"""The fact that names the step for which a proof is being asked."""
PENDING_INTENTION_FACT: Final = "pending_intention"
"""The fact with the intention of the next code that is sent to prove the pending act, where one is sent already."""
AFTER_SIGN_IN_FACT: Final = "then"
"""The fact that names the step for which a caller signs in; it outlasts a registration."""
CARRIED_FACT: Final = "pending_input"
"""The fact with the typed input that the pending step waits for; see `Step.carries`."""
SIGNED_IN_FACTS: Final = frozenset({"account", "epoch", "operator", "operator_epoch"})
"""Facts of a caller who is signed in. They belong to one session of one channel."""
SESSION_BOUND_FACTS: Final = frozenset(
    {
        *SIGNED_IN_FACTS,
        *("citizen", "citizen_language", "consent", "consent_for", "documents_sign_in"),
        *(
            PROVED_FACT,
            PENDING_FACT,
            CARRIED_FACT,
            PENDING_INTENTION_FACT,
            "pin_for",
            "pin_hash",
            "hash_1",
            "hash_2",
            "recovery_1",
            "recovery_account",
        ),
    }
)
"""Facts that no other session may get: not one on another channel, and not a later call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofPolicy:
    """Where a caller gives a missing proof, and how a number is checked.

    `entry_screens`: the screen or step to go to for each component that can be missing. `waiting_screens`: the screens where the caller is asked; on every other screen the
    pending act is forgotten. `check_sim`: given the needed proof, which of `sim_screens` says why the act is refused because
    of the SIM; empty where it is not refused.
    """

    entry_screens: Mapping[Proof, str]
    waiting_screens: frozenset[str]
    sim_screens: frozenset[str]
    check_sim: Callable[["StepContext", Proof], Awaitable[str]]


def find_missing_proof(needs: Needs, facts: "Facts", proofs: frozenset[Proof], *, vouched: bool) -> Proof | None:
    """The first component of the needed proof that is missing; None where all of it is given.

    `proofs` are those of the current input.
    """
    given = set(proofs)
    if vouched:
        given.add(Proof.NUMBER)
    if facts.get("account"):
        given.add(Proof.SESSION)
    if facts.get("documents_sign_in"):
        given.add(Proof.ISSUER_CODE)
    if given & {Proof.PIN, Proof.CODE}:
        given.add(Proof.PIN_OR_CODE)
    stored = {Proof(name) for name in facts.get(PROVED_FACT, ())}
    given |= stored if vouched else stored - FRESH_PROOFS
    components = COMPONENTS[needs.select(vouched=vouched, is_operator=bool(facts.get("consent")))]
    return next((one for one in Proof if one in components and one not in given), None)
