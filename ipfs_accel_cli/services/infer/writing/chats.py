"""Conversations: one answer to messages, or a session with a person."""

from __future__ import annotations

from pathlib import Path

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.deadline import within
from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.engines.chatting import TEMPLATE_STOPS, TEMPLATES
from ipfs_accel_cli.engines.exchange.text import Message, Messages
from ipfs_accel_cli.services.infer.writing.messages import read_messages
from ipfs_accel_cli.services.infer.writing.results import ChatAnswer, ChatMessage
from ipfs_accel_cli.services.infer.writing.session import Session
from ipfs_accel_cli.services.infer.writing.templating import Filled
from ipfs_accel_cli.services.infer.writing.wish import Wish
from ipfs_accel_cli.services.infer.writing.writer import LOADED_FOR, Writer
from ipfs_accel_cli.tasks import TASKS


class Chats:
    """Answers messages with models that were made to chat. Safe to share between threads."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    def chat(
        self,
        message: str | None,
        wish: Wish,
        *,
        system: str | None = None,
        messages: Path | None = None,
        template: str | None = None,
    ) -> ChatAnswer:
        """Answer a message, the last of the messages of a file, or the caller's whole input.

        Without any of these, where a person can be talked to, hold a conversation and return its last answer with all
        that was said. Raises Invalid for what cannot be answered, UnsupportedContent for a model without a chat
        template, and whatever finding, choosing and loading a model raises.
        """
        call = current()
        if template is not None and template not in TEMPLATES:
            raise Invalid(f"no chat template named {template!r}; there are: {', '.join(TEMPLATES)}")
        options = wish.options(call, TEMPLATE_STOPS.get(template or "", ()))
        task = TASKS.load("chat")()
        # With a template of ours any model that writes can be asked, whether or not anything comes of it.
        makes = task.name if template is None else LOADED_FOR
        task.prepare(Messages((Message("user", ""),)), options)
        if message is None and messages is None and call.input is None and call.converse is not None:
            with self._writer.open(self._writer.find(wish, makes), wish) as writing:
                session = Session(self._writer, writing, wish, options, system or "", template or "")
                call.converse(session)
                return session.result()
        given, said = self._said(message, messages, wish)
        conversation = started(system or given.system, said)
        request = task.prepare(Messages(tuple(conversation), template or ""), options)
        with within(wish.timeout), self._writer.open(self._writer.find(wish, makes), wish) as writing:
            fields = writing.write(request, stats=wish.stats)
        answered = [*conversation, Message("assistant", fields["text"])]
        return ChatAnswer(
            **fields,
            messages=shown(answered),
            template=template,
            examples=given.chosen.shown(),
            prompt_cid=given.cid,
        )

    def _said(self, message: str | None, messages: Path | None, wish: Wish) -> tuple[Filled, list[Message]]:
        """Return what was asked, and the messages that ask it: those of a file come before the message."""
        before = read_messages(messages, current()) if messages is not None else []
        if before and message is None and wish.prompt_name is None:
            if wish.examples is not None:
                raise Invalid("--examples go before a message; give one, beside --messages")
            return Filled(""), before
        if message is None and wish.prompt_name is None and current().input is None:
            raise Invalid(
                "there is no message: give it as an argument, with --messages, or on standard input",
                suggestion="ipfs-accel infer chat MESSAGE",
            )
        given = self._writer.input(message, wish)
        if not given.text.strip():
            raise Invalid("the message is empty", suggestion="ipfs-accel infer chat MESSAGE")
        return given, [*before, *given.as_messages()]


def started(system: str, said: list[Message]) -> list[Message]:
    """Return a conversation that begins with a system message; raises Invalid where it has one already."""
    if not system:
        return said
    if said and said[0].role == "system":
        raise Invalid("--system and the messages both have a system message; leave one out")
    return [Message("system", system), *said]


def shown(messages: list[Message]) -> list[ChatMessage]:
    """Return messages as a result shows them."""
    return [ChatMessage(role=one.role, content=one.content) for one in messages]
