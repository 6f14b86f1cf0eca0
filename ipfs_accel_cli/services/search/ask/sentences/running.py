"""Sentences about this machine, and about running models on it."""

from __future__ import annotations

from ipfs_accel_cli.services.search.ask.sentences.form import PICTURES, SOUNDS, Sentence

RUNNING: tuple[Sentence, ...] = (
    Sentence(
        "hw info",
        r"(?:what|which|how much|how many)"
        r" (?:hardware|gpus?|cpus?|processors?|memory|ram|cores|accelerators?|machine)"
        r"(?: (?:do i have|is (?:in )?(?:this|here|there|in here)|are (?:here|there|in here)"
        r"|has this machine|is this))?",
        r"(?:do i have|is there) (?:an? )?(?:gpu|graphics card|accelerator|npu)(?: here| in (?:this|here))?",
    ),
    Sentence(
        "hw bench all",
        r"how fast is (?:this|my|the) (?:machine|computer|laptop)",
        r"benchmark (?:this|my|the) (?:machine|computer)",
    ),
    Sentence(
        "hw bench {one}",
        r"benchmark (?:the |my )?(?P<one>cpu|memory|disk|network)",
    ),
    Sentence(
        "doctor",
        r"(?:is (?:everything|all|(?:my|the|this) (?:installation|setup|install))|are things)"
        r" (?:all right|alright|ok(?:ay)?|fine|well|sound)"
        r"(?: with (?:my|the|this) (?:installation|setup|machine|store))?",
        r"(?:check|diagnose|test) (?:my|the|this) (?:installation|setup|install)",
        r"what is wrong(?: here)?",
    ),
    Sentence(
        "infer audio transcribe {one}",
        rf"(?:transcribe|write down) (?:the )?(?:recording |file )?(?P<one>{SOUNDS})",
        rf"(?:(?:give|get|make)(?: me)? )?(?:an? |the )?(?:transcript|transcription) (?:of|from|for) (?P<one>{SOUNDS})",
        rf"(?:convert|turn) (?P<one>{SOUNDS}) (?:to|into) (?:text|words)",
        rf"what (?:is|was) said in (?P<one>{SOUNDS})",
    ),
    Sentence(
        "infer summarize --file {one}",
        r"summari[sz]e (?:the )?(?:file |text |document )?(?P<one>\S+\.\w+)",
        r"(?:(?:give|get|make|write)(?: me)? )?(?:an? |the )?summary (?:of|for) (?:the )?(?:file )?(?P<one>\S+\.\w+)",
        r"what (?:does|is) (?P<one>\S+\.(?:txt|md|rst)) (?:say|about)(?: in short| briefly)?",
    ),
    Sentence(
        "infer image ocr {one}",
        r"(?:read|recogni[sz]e|get|extract) (?:the )?text (?:in|on|from|of)"
        rf" (?:the )?(?:picture |image |scan )?(?P<one>{PICTURES})",
    ),
    Sentence(
        "infer multimodal caption {one}",
        rf"(?:describe|caption) (?:the )?(?:picture |photo |image )?(?P<one>{PICTURES})",
        rf"what does (?:the )?(?:picture |photo |image )?(?P<one>{PICTURES}) (?:show|depict)",
        rf"what (?:can be seen|can you see|do you see) (?:in|on) (?:the )?(?P<one>{PICTURES})",
        rf"what is (?:in|on|shown (?:in|on)) (?:the )?(?:picture |photo |image )?(?P<one>{PICTURES})",
    ),
)
