"""What people ask of models: each task is written once for all engines."""

from __future__ import annotations

from ipfs_accel_cli.core.registry import Plugin, Registry

TASKS = Registry(
    "tasks",
    {
        "embed": Plugin("ipfs_accel_cli.tasks.embed:Embed"),
        "classify": Plugin("ipfs_accel_cli.tasks.classify:Classify"),
        "generate": Plugin("ipfs_accel_cli.tasks.generate:Generate"),
        "chat": Plugin("ipfs_accel_cli.tasks.chat:Chat"),
        "score": Plugin("ipfs_accel_cli.tasks.score:Score"),
        "caption": Plugin("ipfs_accel_cli.tasks.caption:Caption"),
        "ask": Plugin("ipfs_accel_cli.tasks.ask:Ask"),
        "pair-embed": Plugin("ipfs_accel_cli.tasks.pair_embed:PairEmbed"),
        "image-generate": Plugin("ipfs_accel_cli.tasks.image_generate:ImageGenerate"),
        "image-classify": Plugin("ipfs_accel_cli.tasks.image:ImageClassify"),
        "image-embed": Plugin("ipfs_accel_cli.tasks.image:ImageEmbed"),
        "image-detect": Plugin("ipfs_accel_cli.tasks.image:ImageDetect"),
        "image-segment": Plugin("ipfs_accel_cli.tasks.image:ImageSegment"),
        "image-ocr": Plugin("ipfs_accel_cli.tasks.image:ImageOcr"),
        "transcribe": Plugin("ipfs_accel_cli.tasks.transcribe:Transcribe"),
        "speak": Plugin("ipfs_accel_cli.tasks.speak:Speak"),
        "voice-detect": Plugin("ipfs_accel_cli.tasks.voice_detect:VoiceDetect"),
        "audio-classify": Plugin("ipfs_accel_cli.tasks.audio_classify:AudioClassify"),
        "rerank": Plugin("ipfs_accel_cli.tasks.pairs:Rerank"),
        "answer": Plugin("ipfs_accel_cli.tasks.pairs:Answer"),
        "fill-mask": Plugin("ipfs_accel_cli.tasks.marks:FillMask"),
        "token-classify": Plugin("ipfs_accel_cli.tasks.marks:TokenClassify"),
        "summarize": Plugin("ipfs_accel_cli.tasks.rewrite:Summarize"),
        "translate": Plugin("ipfs_accel_cli.tasks.rewrite:Translate"),
    },
)
