"""A conversation with a person, line by line, that keeps within what the model reads."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.deadline import within
from ipfs_accel_cli.core.dialogue import Heard
from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.engines.exchange.text import GenerateOptions, Message, Messages
from ipfs_accel_cli.services.infer.opening import cid_of
from ipfs_accel_cli.services.infer.writing.messages import write_messages
from ipfs_accel_cli.services.infer.writing.results import ChatAnswer, ChatMessage
from ipfs_accel_cli.services.infer.writing.wish import Wish
from ipfs_accel_cli.services.infer.writing.writer import Writer, Writing
from ipfs_accel_cli.tasks import TASKS

HELP = """/help          show this
/reset         forget what was said, keep the system message
/system TEXT   begin anew with this system message; without a text, with none
/save FILE     write the conversation as JSON, for --messages
/quit          end; so does Ctrl-D. Ctrl-C stops an answer"""

log = logging.getLogger("ipfs_accel_cli")


class Session:
    """What was said so far, and the model that answers; see `core.dialogue` for the contract."""

    prompt = "> "

    def __init__(
        self, writer: Writer, writing: Writing, wish: Wish, options: GenerateOptions, system: str, template: str
    ) -> None:
        self._writer, self._writing, self._wish, self._options = writer, writing, wish, options
        self._system, self._template = system, template
        self._said: list[Message] = []
        self._last: dict[str, Any] | None = None
        self.greeting = f"{writing.opened.model.facts.name} answers; /help shows what else there is."

    def hear(self, line: str) -> Heard:
        """Answer a line, or do what it commands; the answer reaches the caller as it comes.

        An answer that is interrupted is kept as far as it came.
        """
        text = line.strip()
        if not text:
            return Heard()
        if text.startswith("/"):
            return self._command(text)
        self._answer(text)
        return Heard()

    def result(self) -> ChatAnswer:
        """Return the last answer with the whole conversation."""
        opened = self._writing.opened
        fields = self._last or {
            "text": "",
            "tokens": 0,
            "prompt_tokens": 0,
            "finish_reason": "stop",
            "model": opened.model.facts.name,
            "model_cid": cid_of(opened.model.facts.manifest),
            "engine": opened.warm.key.engine,
            "device": opened.warm.key.device,
        }
        messages = [ChatMessage(role=one.role, content=one.content) for one in self._conversation()]
        return ChatAnswer(**fields, messages=messages, template=self._template or None)

    def _command(self, text: str) -> Heard:
        name, _, rest = text.partition(" ")
        rest = rest.strip()
        if name == "/quit":
            return Heard(ended=True)
        if name == "/help":
            return Heard(HELP)
        if name == "/reset":
            self._said.clear()
            return Heard("What was said is forgotten.")
        if name == "/system":
            self._system = rest
            self._said.clear()
            return Heard("A new conversation begins with this." if rest else "A new conversation begins with nothing.")
        if name == "/save":
            if not rest:
                raise Invalid("/save needs the name of a file")
            return Heard(f"Written to {write_messages(self._conversation(), Path(rest), current())}.")
        raise Invalid(f"there is no {name}; /help shows what there is")

    def _answer(self, text: str) -> None:
        asked = [Message("user", text)]
        if not self._said and (self._wish.examples is not None or self._wish.prompt_name is not None):
            given = self._writer.input(text, self._wish)
            asked, self._system = given.as_messages(), self._system or given.system
        before = list(self._said)
        self._said += asked
        pieces: list[str] = []
        try:
            with within(self._wish.timeout):
                self._last = self._written(pieces)
        except KeyboardInterrupt:
            # Said openly by whoever stopped it: what was seen of the answer is part of what was said.
            self._said.append(Message("assistant", "".join(pieces)))
            raise
        except BaseException:
            self._said = before
            raise
        self._said.append(Message("assistant", self._last["text"]))
        took = self._last["stats"]
        if took is not None:
            log.info("%s tokens/s, the first after %s ms", took.tokens_s, took.first_ms)

    def _written(self, pieces: list[str]) -> dict[str, Any]:
        """Answer what was said, without its oldest messages where all of it is more than the model reads."""
        task, dropped = TASKS.load("chat")(), 0
        while True:
            request = task.prepare(Messages(tuple(self._conversation()), self._template), self._options)
            try:
                return self._writing.write(request, stats=self._wish.stats, sink=pieces.append)
            except Invalid as error:
                oldest = self._oldest_turn()
                if "context_tokens" not in error.context or not oldest:
                    raise
                del self._said[:oldest]
                dropped += oldest
                log.warning("the oldest %d messages are more than the model reads, and were left out", dropped)

    def _oldest_turn(self) -> int:
        """Return how many messages there are before the second one of the user's; 0 when there is none."""
        users = [at for at, one in enumerate(self._said) if one.role == "user"]
        return users[1] if len(users) > 1 else 0

    def _conversation(self) -> list[Message]:
        return [Message("system", self._system), *self._said] if self._system else list(self._said)
