"""Sentences about models."""

from __future__ import annotations

from ipfs_accel_cli.services.search.ask.sentences.form import (
    CID,
    FOR_TASK,
    MODEL,
    ONE,
    THING,
    TO,
    Sentence,
    either,
    task,
)

_TAKE_AWAY = "(?:delete|remove|drop|forget|get rid of|erase|uninstall|trash|throw away)"

MODELS: tuple[Sentence, ...] = (
    Sentence(
        "model pull {one}",
        rf"(?:pull|download|fetch|get|install|grab) {MODEL}(?P<one>[a-z0-9+]+://\S+)",
    ),
    Sentence(
        "model push {one} {destination}",
        rf"(?:push|upload|publish) {ONE} {TO}",
    ),
    Sentence(
        "model push {one} {destination}",
        rf"(?:push|upload|publish) {ONE} (?:to|into) (?P<destination>\S+)",
    ),
    Sentence(
        "model rm {one}",
        rf"{_TAKE_AWAY} (?:the |my )?model (?:called |named )?(?P<one>{THING})",
        rf"{_TAKE_AWAY} (?:the |my )(?P<one>{THING}) model",
    ),
    Sentence(
        "store rm {one}",
        rf"(?:{_TAKE_AWAY}|stop keeping) (?P<one>{CID})",
    ),
    Sentence(
        "model scan {one}",
        rf"(?:is|are) {ONE} safe(?: to (?:load|use|run))?",
        rf"scan {MODEL}(?P<one>{THING})(?: for .*)?",
    ),
    Sentence(
        either("store repair {one}", "model repair {one}"),
        rf"(?:repair|mend|fix) (?:the |my )?(?:damaged |broken |corrupt )?{ONE}",
    ),
    Sentence(
        "hw fit {one}",
        rf"(?:does|do|would|will|can) {ONE} (?:fit|run|work)(?: (?:on|in) (?:this|my|the)"
        r" (?:machine|computer|laptop|memory|gpu)| here| in memory)*",
    ),
    Sentence(
        "hw fit {one}",
        rf"can (?:i|this (?:machine|computer|laptop)) (?:run|use|load) {ONE}(?: (?:on|in) (?:this|my)"
        r" (?:machine|computer|laptop)| here)*",
    ),
    Sentence(
        "hw fit {one}",
        rf"is there (?:enough )?(?:memory|room|ram) (?:enough )?for {ONE}",
        rf"how much (?:memory|ram|vram) (?:does|will|would) {ONE} (?:need|take|use)",
        rf"is {ONE} too (?:big|large|heavy) for (?:this|my) (?:machine|computer|laptop|gpu)",
    ),
    Sentence(
        # It has to be of some task; which one is for whoever reads the line to change.
        "hw recommend --task generate",
        r"(?:what|which models?) (?:can|could|will|would)? ?(?:runs?|works?|fits?)(?: best)? "
        r"(?:here|on (?:this|my) (?:machine|computer|laptop))",
    ),
    Sentence(
        task,
        rf"(?:which|what) models? (?:should|could|can|do|would) i (?:use|take|run){FOR_TASK}",
        rf"what (?:runs|works|fits)(?: best)?(?: on (?:this|my) (?:machine|computer|laptop))?{FOR_TASK}",
        rf"(?:recommend|suggest) (?:me )?a model{FOR_TASK}",
    ),
    Sentence(
        "model show {one}",
        rf"(?:show(?: me)?|describe|tell me about|what is) (?:the |my )?model (?P<one>{THING})",
    ),
    Sentence(
        "model show {one}",
        rf"(?:what|which) licen[cs]e (?:has|does) {ONE}(?: have)?",
    ),
    Sentence(
        "model card {one}",
        rf"(?:show(?: me)?|read|print) (?:the )?card of {ONE}",
    ),
    Sentence(
        "model versions {one}",
        r"(?:(?:which|what) versions (?:are there|exist|are)|(?:show|list)(?: me)?(?: the| all)* versions)"
        rf" of {ONE}",
    ),
    Sentence(
        "model rollback {one}",
        rf"(?:undo|take back|revert) the last version of {ONE}",
        rf"roll ?back {MODEL}(?P<one>{THING})",
    ),
    Sentence(
        "model diff {one} {two}",
        rf"(?:what is|show(?: me)?|what are)? ?the differences? between {MODEL}(?P<one>\S+) and (?P<two>\S+)",
        rf"diff {MODEL}(?P<one>\S+) (?:and|with) (?P<two>\S+)",
    ),
    Sentence(
        "model compare {one} {two}",
        r"compare (?:the |my )?models (?P<one>\S+) (?:and|with) (?P<two>\S+)",
    ),
    Sentence(
        "model export {one} -o {two}",
        rf"export {ONE} (?:to|into|as) (?P<two>\S+)",
    ),
    Sentence(
        "model add {one}",
        r"add (?:the |my )?model (?:in|at|from) (?P<one>\S+)",
    ),
    Sentence(
        lambda match: "model catalogue" if "catalogue" in match[0].lower() or "can i" in match[0].lower() else None,
        r"(?:which|what) models (?:can i (?:download|pull|get)|are (?:there )?)(?: (?:from|in) the catalogue)?",
        r"(?:show(?: me)?|open) the catalogue",
    ),
)
