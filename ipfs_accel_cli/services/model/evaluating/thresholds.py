"""What a metric has to reach: `f1>=0.8`, `wer<=0.1`. Pure."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.services.model.evaluating import metrics

_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
_FORM = re.compile(r"\s*([a-z0-9-]+)\s*(>=|<=|>|<)\s*([^\s]+)\s*")


@dataclass(frozen=True, slots=True)
class Threshold:
    """A bound on a metric."""

    metric: str
    comparison: str
    bound: float

    def met(self, value: float) -> bool:
        """Say whether a value keeps the bound."""
        return _COMPARISONS[self.comparison](value, self.bound)

    def __str__(self) -> str:
        return f"{self.metric}{self.comparison}{self.bound:g}"


def parse(text: str) -> Threshold:
    """Read a threshold; raises Invalid for another form, an unknown metric, and a number that is none."""
    form = _FORM.fullmatch(text)
    if form is None:
        raise Invalid(f"{text!r} is no threshold", suggestion="--threshold 'f1>=0.8'")
    try:
        bound = float(form[3])
    except ValueError as error:
        raise Invalid(f"{form[3]!r} in the threshold {text!r} is no number") from error
    if not math.isfinite(bound):
        raise Invalid(f"{form[3]!r} in the threshold {text!r} is no finite number")
    return Threshold(metrics.find(form[1]).name, form[2], bound)
