"""CTranslate2: Whisper in 8 bits, and translators."""
