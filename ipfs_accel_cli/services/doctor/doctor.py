"""The doctor: runs every check, and explains error codes."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import AccelError, Cancelled, NotFound, error_kinds
from ipfs_accel_cli.core.paths import Home
from ipfs_accel_cli.services.doctor import home as home_checks
from ipfs_accel_cli.services.doctor import libraries
from ipfs_accel_cli.services.doctor.results import Check, Diagnosis, Explanation

Look = Callable[[], Iterable[Check]]


class Doctor:
    """Looks at the installation and the home folder itself, and runs the `checks` that it is handed.

    Those of `thorough` leave this machine, and are run only when they are asked for.
    """

    def __init__(self, home: Home, checks: Sequence[Look] = (), thorough: Sequence[Look] = ()) -> None:
        own: list[Look] = [
            libraries.python,
            libraries.required,
            libraries.optional,
            libraries.installer,
            partial(home_checks.folder, home),
            partial(home_checks.keys, home),
            partial(home_checks.space, home),
        ]
        self._looks = [*own, *checks]
        self._thorough = list(thorough)

    def run(self, *, thorough: bool = False) -> Diagnosis:
        """Run all checks; one that breaks is a failed check and does not stop the others."""
        found: list[Check] = []
        looks = [*self._looks, *self._thorough] if thorough else self._looks
        for done, look in enumerate(looks):
            current().progress(done, len(looks), "checking")
            found.extend(_looked(look))
        return Diagnosis(healthy=all(check.state != "failed" for check in found), checks=found)

    def explain(self, code: str) -> Explanation:
        """Return what an error code means and what to do about it; raise NotFound for one that does not exist."""
        errors = error_kinds()
        error = errors.get(code.strip().lower())
        if error is None:
            raise _unknown(code, list(errors))
        return Explanation(
            code=error.code,
            title=error.title,
            exit_code=error.exit_code,
            status=error.status,
            retryable=error.retryable,
            meaning=" ".join((inspect.getdoc(error) or error.title).split("\n\n")[0].split()),
            remedy=error.remedy,
        )


def _looked(look: Look) -> list[Check]:
    found: list[Check] = []
    try:
        # One by one, so that what a check said before it broke is kept.
        for check in look():
            found.append(check)
    except Cancelled:
        raise
    except AccelError as error:
        found.append(
            Check(name=_name(look), state="failed", detail=error.detail, remedy=error.suggestion or error.remedy)
        )
    except Exception as error:  # The rest of the diagnosis is worth most when something is badly broken.
        detail = f"the check itself failed: {type(error).__name__}: {error}"
        found.append(Check(name=_name(look), state="failed", detail=detail, remedy=AccelError.remedy))
    return found


def _name(look: Look) -> str:
    name: str = getattr(look.func if isinstance(look, partial) else look, "__name__", "check")
    return name.strip("_").replace("_", " ")


def _unknown(code: str, codes: list[str]) -> NotFound:
    near = difflib.get_close_matches(code.strip().lower(), codes, n=3, cutoff=0.5)
    hint = f"; did you mean {' or '.join(near)}?" if near else f"; there are: {', '.join(codes)}"
    suggestion = f"ipfs-accel doctor --explain {near[0] if near else codes[0]}"
    return NotFound(f"no error code {code!r}{hint}", suggestion=suggestion)
