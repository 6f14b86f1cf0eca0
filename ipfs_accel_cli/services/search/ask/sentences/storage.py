"""Sentences about places and the store."""

from __future__ import annotations

from ipfs_accel_cli.services.search.ask.sentences.form import CID, PLACE, SOURCE, TO, Sentence, between, with_place

STORAGE: tuple[Sentence, ...] = (
    Sentence(
        between("copy"),
        rf"(?:copy|back up|backup|bring|send|transfer|clone|duplicate|replicate) {SOURCE} {TO}",
    ),
    Sentence(
        between("move", " --dry-run"),
        rf"(?:move|shift|relocate|migrate) {SOURCE} {TO}",
    ),
    Sentence(
        between("sync", " --dry-run"),
        rf"(?:sync|synchroni[sz]e|mirror) {SOURCE} (?:to|with|and|into) (?P<destination>{PLACE})",
    ),
    Sentence(
        between("check"),
        rf"(?:compare|check) (?P<source>[a-z][\w.-]*:?\S*) (?:with|against|to) (?P<destination>{PLACE})",
    ),
    Sentence(
        between("check"),
        rf"(?:are|is) (?P<source>{PLACE}) and (?P<destination>{PLACE}) (?:the same|equal|in sync|alike)",
        rf"what (?:differs|is different|are the differences) between (?P<source>{PLACE}) and (?P<destination>{PLACE})",
        r"(?:is|are) (?:everything|all|all files)(?: that is)? (?:of|in|from|at|on) (?P<source>\S+)"
        rf" (?:also )?(?:in|at|on) (?P<destination>{PLACE})",
    ),
    Sentence(
        between("plan"),
        r"(?:what would (?:it take|happen)|how long (?:does|would|will) it take|how much (?:does|would|will)"
        rf" it cost) (?:to|if i) (?P<verb>copy|move|sync|mirror|copied|moved) {SOURCE} (?:to|into|with)"
        rf" (?P<destination>{PLACE})",
    ),
    Sentence(
        with_place("migrate rescue {one} --to {destination} --dry-run"),
        r"rescue (?:what |everything (?:that )?)?(?:only )?(?P<one>[\w.-]+?)"
        rf":?(?: (?:only )?(?:has|holds|keeps))? {TO}",
    ),
    Sentence(
        "store backend ls",
        r"(?:list|show|which|what)(?: are)?(?: me)?(?: my| the| all)* backends(?: are there| do i have"
        r"| are known)?",
    ),
    Sentence(
        "store backend test {one}",
        r"(?:test|check|try|ping) (?:the |my )?backend (?P<one>\S+)",
        r"is (?:the |my )?backend (?P<one>\S+) (?:up|alive|reachable|there)",
        r"is (?P<one>[a-z][\w.-]*):? (?:reachable|alive|up)",
    ),
    Sentence(
        "store probe {one}",
        r"(?:how fast is|measure|probe) (?:the |my )?backend (?P<one>\S+)",
    ),
    Sentence(
        "migrate policy ls",
        r"(?:(?:list|show)(?: me)?|which|what)(?: are)?(?: the| my| all)* policies(?: are there| do i have)?",
    ),
    Sentence(
        "migrate run {one}",
        r"(?:run|start|execute|trigger) (?:the |my )?policy (?P<one>\S+)",
        r"(?:run|start|execute|trigger) (?:the |my )?(?P<one>\S+) policy",
    ),
    Sentence(
        "migrate history",
        r"(?:when did (?:the |my )?(?:polic(?:y|ies)|migrations?) run(?: last)?|(?:show|list)"
        r"(?: me)?(?: the| all| my)* (?:past )?migrations|what was migrated)",
    ),
    Sentence(
        "store gc --dry-run",
        r"(?:free|make|get|reclaim)(?: up)?(?: me)?(?: some| more)? (?:disk )?(?:space|room)"
        r"(?: on (?:the|my) disk| in the store)?",
        r"(?:clean(?: up| out)?|prune|purge|tidy(?: up)?|empty)(?: the| my)?"
        r" (?:store|disk|home|trash|garbage)(?: up| out)?",
        r"how much (?:disk )?(?:space|room) (?:can|could|would) (?:i|be) (?:free|freed|save|get back)",
        r"collect(?: the)? garbage",
        r"(?:run )?(?:the )?garbage collect(?:ion|or)?",
    ),
    Sentence(
        "store where {one}",
        rf"where (?:is|are) (?P<one>{CID})(?: kept)?",
        rf"(?:who|which backends?) (?:has|have) (?P<one>{CID})",
    ),
    Sentence(
        "store pin add {one}",
        rf"(?:pin|keep) (?P<one>{CID})",
    ),
    Sentence(
        "store pin rm {one}",
        rf"unpin (?P<one>{CID})",
    ),
    Sentence(
        "store put {one}",
        r"(?:put|store|keep|save) (?:the )?(?:files? )?(?P<one>\S*[./]\S*)(?: (?:in|into) the store)?",
    ),
    Sentence(
        "store heal --min 2 --dry-run",
        r"(?:make sure|see to it|ensure)(?: that)? (?:everything|all)(?: of it)? is (?:kept|stored|there)"
        r" (?:twice|(?:at|in) two places)",
        r"(?:keep|replicate|have) everything (?:twice|(?:to|at|in) two places)",
    ),
    Sentence(
        "store repair --all",
        r"(?:repair|mend|fix) (?:everything|all|whatever)(?: (?:that|which))?(?: is)? ?(?:broken|damaged|corrupt)?",
        r"(?:repair|mend|fix) (?:the|all|my) (?:damaged |broken )(?:files|content|blocks)",
    ),
    Sentence(
        "store scrub",
        r"(?:read|check|verify) (?:everything|all(?: content| (?:of )?my files| files)?|the (?:whole )?store"
        r"|my files)"
        r"(?: again)?(?: (?:to find|for|and find) (?:any )?(?:damage|bit ?rot|errors))?",
        r"scrub(?: the store)?",
        r"look for bit ?rot",
    ),
    Sentence(
        "store cost",
        r"how much (?:does|do|will) (?:the |my |all )?(?:storage|store|backends|copies)(?: of mine)? cost",
        r"what (?:does|do) (?:the |my )?(?:storage|backends) cost(?: me)?(?: (?:a|each|every|per) month)?",
        r"what (?:am i|do i|are we) pay(?:ing)? for (?:my |the )?(?:storage|backends)(?: (?:a|each|every|per) month)?",
    ),
)
