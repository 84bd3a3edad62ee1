"""The user's choices. What sources dispute has no default: until it is chosen every reading is computed."""

from __future__ import annotations

from dataclasses import dataclass, fields

from ..measures import InputError
from .published import published, readings, switchable


@dataclass(frozen=True)
class Settings:
    """Choices that the criteria leave open; None leaves a dispute open and shows all of its results.

    limits: ``inclusive`` (25 % is progression) or ``exclusive`` (more than 25 %), which matters only for a change that
    equals the limit when printed with one decimal. mixed: what complete response of one part and stable disease of the
    other make, ``stable`` or ``response``. steroid_factors: how doses are converted. after_unconfirmed: whether growth
    after an unconfirmed preliminary progression counts from the ``nadir`` or from the ``preliminary`` scan; no source
    read says so.

    baseline: id of the baseline visit instead of the automatic one. late_confirmation: whether a protocol asks RANO 2.0
    to confirm progression after 12 weeks too. longest_confirmation: days after which a scan no longer confirms; where
    None, later than 16 weeks is left open. recalled: numbers of recalled rules to switch on. steroid_tolerance: mg per
    day of dexamethasone within which a dose is the same (no source gives one). bt_rads_unchanged, bt_rads_major: % of
    volume up to which a lesion is unchanged and from which growth is major, where the reader has not said so (a choice
    of one program, 10 and 40, not of BT-RADS).

    Raises InputError ``response_setting``.
    """

    limits: str | None = None
    mixed: str | None = None
    steroid_factors: str | None = None
    after_unconfirmed: str | None = None
    baseline: str | None = None
    late_confirmation: bool = False
    longest_confirmation: int | None = None
    recalled: frozenset[str] = frozenset()
    steroid_tolerance: float = 0.0
    bt_rads_unchanged: float | None = None
    bt_rads_major: float | None = None

    def __post_init__(self):
        for setting in published()["disputed"]:
            chosen = getattr(self, setting)
            if chosen is not None and chosen not in readings(setting):
                raise InputError("response_setting", field=setting, known=", ".join(readings(setting)))
        if not self.recalled <= set(switchable()):
            raise InputError("response_setting", field="recalled", known=", ".join(switchable()))
        for entry in fields(self):
            value = getattr(self, entry.name)
            if isinstance(value, int | float) and not 0 <= value < float("inf"):
                raise InputError("response_setting", field=entry.name, known="0 and above")
