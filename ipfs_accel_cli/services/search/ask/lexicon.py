"""The words that people use for what the index has: kinds, tasks, licences, languages, units."""

from __future__ import annotations

# A phrase, and the kinds that it means. The longest phrase that fits is taken.
KINDS: dict[str, tuple[str, ...]] = {
    "models?|networks?|checkpoints?": ("model",),
    "pdfs?": ("pdf",),
    "pictures?|photos?|photographs?|images?|screenshots?|drawings?": ("image",),
    "recordings?|audio files?|audios?|sound files?|sounds?|songs?": ("audio",),
    "word doc(?:ument)?s?|word files?|docx|docx files?": ("docx",),
    "slides?|presentations?|spreadsheets?|excel files?|powerpoints?|office files?|office documents?": ("office",),
    "(?:jupyter )?notebooks?": ("notebook",),
    "archives?|zip files?|zips?|tarballs?|tar files?": ("archive",),
    "web ?pages?|html pages?|html files?|html": ("html",),
    "code|scripts?|programs?|source files?|source code": ("code",),
    "text files?|plain texts?|txt files?": ("text",),
    "markdown files?|markdown pages?|markdown": ("markdown",),
    "json files?|json": ("json",),
    "jsonl files?|jsonl": ("jsonl",),
    "csv files?|csvs?": ("csv",),
    "parquet files?|parquets?": ("parquet",),
    "data ?sets?": ("csv", "jsonl", "parquet", "dataset-card"),
    "model cards?": ("model-card",),
    "safetensors files?|safetensors": ("safetensors",),
    "gguf files?|ggufs?": ("gguf",),
    "binary files?|binaries": ("binary",),
    "onnx files?|onnx": ("onnx",),
}
# Formats that are a kind's own, as media types say them.
FORMATS: dict[str, str] = {
    "jpe?gs?(?: files?)?": "image/jpeg",
    "pngs?(?: files?)?": "image/png",
    "gifs?(?: files?)?": "image/gif",
    "webps?(?: files?)?": "image/webp",
    "mp3s?(?: files?)?": "audio/mpeg",
    "flacs?(?: files?)?": "audio/flac",
}
# Words for anything: they choose nothing.
ANYTHING = (
    "files?|documents?|docs?|things?|stuff|anything|everything|something|items?|content|objects?|papers?|articles?"
)

TASKS: dict[str, str] = {
    "embed|embeds|embeddings?|sentence vectors?|text vectors?": "embed",
    "rerank|reranks|re-?ranking|rerankers?": "rerank",
    "text classification|classify texts?|classifies texts?|text classifiers?|sentiment(?: analysis)?": "classify",
    "chat|chatting|conversations?|dialogues?": "chat",
    "text generation|generates? texts?|generating text|writing texts?|writes?|text generators?": "generate",
    "fill-mask|fill masks?|masked words?": "fill-mask",
    "summari[sz]es?(?: texts?)?|summari[sz]ation|summaries|summari[sz]ing(?: texts?)?": "summarize",
    "translate(?: texts?)?|translates(?: texts?)?|translations?|translating(?: texts?)?": "translate",
    "question answering|answers? questions?|answering questions|qa": "answer",
    "named entity recognition|ner|token classification": "token-classify",
    "image classification|classify (?:images|pictures|photos)|image classifiers?": "image-classify",
    "object detection|detects? objects|detecting objects|object detectors?": "image-detect",
    "image segmentation|segmentation|segments? (?:images|pictures)|segmenting (?:images|pictures)": "image-segment",
    "image embeddings?|embedding (?:images|pictures)|embeds? (?:images|pictures)": "image-embed",
    "image generation|text to image|generates? (?:images|pictures)|draws?|painting": "image-generate",
    "ocr|text recognition|reads? text in (?:images|pictures)": "image-ocr",
    "speech recognition|transcribes?(?: (?:speech|audio|recordings))?|transcriptions?|transcribing(?: speech| audio)?"
    "|speech to text": "transcribe",
    "speech synthesis|text to speech|speaks?|tts|speaking": "speak",
    "voice (?:activity )?detection|detects? (?:voices?|speech)": "voice-detect",
    "sound classification|audio classification|classif(?:y|ies) sounds?": "audio-classify",
    "image captioning"
    "|captions?(?: (?:images|pictures|photos))?|captioning(?: (?:images|pictures|photos))?|image captions?"
    "|describes? (?:images|pictures)": "caption",
    "visual question answering|vqa|questions about (?:images|pictures)": "ask",
}

# Who does a task is a model.
DOERS: dict[str, str] = {
    "embedders?|encoders?": "embed",
    "re-?rankers?": "rerank",
    "text classifiers?": "classify",
    "chat ?bots?": "chat",
    "summari[sz]ers?": "summarize",
    "translators?": "translate",
    "image classifiers?": "image-classify",
    "object detectors?": "image-detect",
    "image generators?": "image-generate",
    "transcribers?|speech recogni[sz]ers?": "transcribe",
    "speech synthesi[sz]ers?": "speak",
    "captioners?": "caption",
}

LICENCES: dict[str, tuple[str, ...]] = {
    r"apache(?:[- ]?2(?:\.0)?)?": ("apache",),
    "mit": ("mit",),
    "bsd": ("bsd",),
    r"gpl(?:[- ]?v?[23](?:\.0)?)?": ("gpl",),
    "agpl": ("agpl",),
    "lgpl": ("lgpl",),
    r"cc[- ]by(?:-4\.0)?|creative commons": ("cc-by",),
    "permissive(?:ly)?": ("mit", "apache", "bsd"),
    "copyleft": ("gpl", "agpl"),
}

# ISO 639-1, as cards and pages state it.
LANGUAGES: dict[str, str] = {
    "english": "en", "german": "de", "french": "fr", "spanish": "es", "italian": "it", "portuguese": "pt",
    "dutch": "nl",
    "polish": "pl", "russian": "ru", "ukrainian": "uk", "chinese": "zh", "japanese": "ja", "korean": "ko",
    "arabic": "ar",
    "hindi": "hi", "turkish": "tr", "swedish": "sv", "danish": "da", "norwegian": "no", "finnish": "fi", "czech": "cs",
    "greek": "el", "hebrew": "he", "hungarian": "hu", "romanian": "ro", "vietnamese": "vi", "thai": "th",
}  # fmt: skip
PROGRAMMING = (
    "python|rust|javascript|typescript|java|ruby|go|c|c\\+\\+|kotlin|swift|perl|php|lua|sql|julia|scala|haskell"
)

ARCHITECTURES = (
    "bert|roberta|distilbert|deberta|electra|llama|gpt2|gpt-2|gpt-neo|mistral|mixtral|qwen2?|gemma|phi|t5|bart|whisper"
    "|vit|clip|siglip|blip|resnet|mamba|falcon|bloom|opt"
)

DTYPES: dict[str, str] = {
    "float16|fp16|half precision": "float16",
    "bfloat16|bf16": "bfloat16",
    "float32|fp32|full precision": "float32",
    "int8|8[- ]?bits?": "int8",
    "int4|4[- ]?bits?": "int4",
}

SIZES: dict[str, str] = {
    "bytes?|b": "B",
    "kilobytes?|kb": "KB",
    "kibibytes?|kib": "KiB",
    "megabytes?|megs?|mb": "MB",
    "mebibytes?|mib": "MiB",
    "gigabytes?|gigs?|gb": "GB",
    "gibibytes?|gib": "GiB",
    "terabytes?|tb": "TB",
    "tebibytes?|tib": "TiB",
}

_NUMBERS = "one two three four five six seven eight nine ten eleven twelve"
NUMBERS = {word: number for number, word in enumerate(_NUMBERS.split(), 1)}
MANY = {"dozen": 12, "hundred": 100, "thousand": 1000, "million": 1_000_000, "billion": 1_000_000_000}

# More, or less, than a figure that follows.
COMPARED: dict[str, str] = {
    r"(?:no|not) (?:more|larger|bigger|greater|longer|heavier|wider|taller) than|at most|up to|a maximum of|<=": "<=",
    r"(?:no|not) (?:less|smaller|fewer|shorter) than|at least|a minimum of|>=": ">=",
    r"(?:more|larger|bigger|greater|longer|heavier|wider|taller|higher) than|over|above|exceeding|beyond|>": ">",
    r"(?:less|smaller|fewer|shorter|lighter|narrower|lower) than|under|below|<": "<",
    r"exactly": "=",
}
OPPOSITE = {"=": "!=", "!=": "=", "~": "!~", "!~": "~", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}

_MONTHS = "january february march april may june july august september october november december"
MONTHS = tuple(_MONTHS.split())
_DAYS = "monday tuesday wednesday thursday friday saturday sunday"
DAYS = tuple(_DAYS.split())

# What belongs to asking and not to what is asked for; words that every text has are left out by the query itself.
_ASKING = """
    please show me find list give get search look looking for need want wants see tell display all any every
    some which what where when who how many much count number do does did have has had there here is are was
    were been be i we my our us you your can could would will should may might the a an of in on at by to with
    from that this these those and or as it its about regarding concerning mention mentions mentioning mentioned
    contain contains containing word words called titled talk talks talking say says said added came come put
    kept stored during ones one written whose into than then too also only just exist exists existing named up
    add keep store got am first other use uses using wrote kindly bring like info information would yet but have
    new most still right now currently hi hello hey thanks thank them they its me ok so well
"""
ASKING = frozenset(_ASKING.split())
