"""Sentences about finding, tagging and jobs."""

from __future__ import annotations

from ipfs_accel_cli.services.search.ask.sentences.form import CID, JOB, THING, Sentence

SEARCHING: tuple[Sentence, ...] = (
    Sentence(
        "search similar {one}",
        r"(?:what is|show(?: me)?(?: what is)?|find(?: me)?(?: what is)?) (?:like|similar to|related to)"
        rf" (?P<one>{CID})",
        rf"similar to (?P<one>{CID})",
        rf"(?:which|what) (?:files|pictures|documents|models) (?:look|are|is) (?:like|similar to) (?P<one>{CID})",
    ),
    Sentence(
        "search duplicates",
        r"(?:show(?: me)?|find(?: me)?|list|are there|do i have|have i got)? ?(?:the |any |all |my )?"
        r"(?:duplicates|duplicate (?:files|pictures|documents|models))",
        r"what (?:is (?:there|here|kept) twice|do i have twice)",
        r"(?:what|which files) (?:is|are) (?:there )?(?:twice|doubled)",
    ),
    Sentence(
        "search tag suggest {one}",
        rf"(?:suggest|propose)(?: me)?(?: some)? tags for (?P<one>{CID})",
        rf"(?:which|what) tags (?:fit|suit|would fit) (?P<one>{CID})",
    ),
    Sentence(
        "search tag ls",
        r"(?:which|what) tags (?:do i (?:use|have)|are (?:there|in use)|have i (?:used|given))",
        r"(?:list|show)(?: me)?(?: my| the| all)* tags",
    ),
    Sentence(
        "search tag add {one} {two}",
        rf"tag (?P<one>{CID}) (?:as|with) (?P<two>{THING})",
    ),
    Sentence(
        "search recommend",
        r"what should i (?:look at|read|try)(?: next)?",
        r"recommend (?:me )?(?:something|anything)",
        r"what (?:else )?(?:could|might) (?:be interesting|interest me)",
    ),
    Sentence(
        "search index add {one}",
        r"index (?:the |my )?(?:folder |directory |file )?(?P<one>\S+)",
    ),
    Sentence(
        "search index rebuild",
        r"(?:rebuild|remake|renew) (?:the |my )?(?:search )?index",
    ),
    Sentence(
        "job ls",
        r"(?:which|what)(?: jobs)? (?:is|are) (?:running|waiting|queued)(?: now)?",
        r"(?:show|list)(?: me)?(?: the| my| all)* (?:jobs|queue)(?: that are (?:running|waiting|queued))?",
        r"what is (?:going on|being done)",
    ),
    Sentence(
        "job logs {one}",
        rf"(?:show(?: me)?|read|print|get)(?: the)? (?:logs?|output) (?:of|for|from) {JOB}",
        rf"what did {JOB} (?:say|print|write|log)",
    ),
    Sentence(
        "job cancel {one}",
        rf"(?:cancel|stop|kill|abort) {JOB}",
    ),
    Sentence(
        "job pause {one}",
        rf"pause {JOB}",
    ),
    Sentence(
        "job resume {one}",
        rf"(?:resume|continue|go on with) {JOB}",
    ),
    Sentence(
        "job retry {one}",
        rf"(?:retry|repeat|try again|rerun) {JOB}",
    ),
    Sentence(
        "job show {one}",
        rf"(?:why did|what (?:happened|went wrong) (?:to|in|with)) {JOB}(?: fail)?",
    ),
    Sentence(
        "monitor events",
        r"what (?:has )?(?:happened|changed)(?: lately| recently| today| here)?",
        r"(?:show|list)(?: me)?(?: the| all)* events",
    ),
)
