"""Prompts and conversations as the tokens that a model reads: chat templates are rendered here, for every engine."""

from __future__ import annotations

from typing import Any

from ipfs_accel_cli.core.errors import Invalid, UnsupportedContent
from ipfs_accel_cli.engines.base import Request
from ipfs_accel_cli.engines.exchange.text import Messages, Prompt

# For models that were published without a template; which one suits, only their card can say.
TEMPLATES = {
    "chatml": (
        "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    ),
    "plain": (
        "{% for message in messages %}"
        "{{ '' if message.role == 'system' else message.role | capitalize + ': ' }}{{ message.content }}\n"
        "{% endfor %}{% if add_generation_prompt %}Assistant:{% endif %}"
    ),
}
# What ends an answer under a template whose model has no token for it.
TEMPLATE_STOPS = {"chatml": ("<|im_end|>",), "plain": ("\nUser:",)}


def token_ids(tokenizer: Any, request: Request, name: str) -> list[int]:
    """Return the tokens of a request's prompt or conversation.

    Raises Invalid for another payload, for an empty prompt where the model needs a token to begin with, and for a
    conversation that the template refuses; UnsupportedContent for a model without a chat template.
    """
    payload = request.payload
    if isinstance(payload, Messages):
        text = rendered(tokenizer, payload, name)
        # A template writes the tokens that begin a text itself.
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    elif isinstance(payload, Prompt):
        ids = tokenizer(payload.text)["input_ids"]
    else:
        raise Invalid(f"{name} was loaded to generate text, not to {request.kind}")
    if not ids:
        raise Invalid("the prompt is empty, and this model needs a token to begin with")
    return [int(token) for token in ids]


def rendered(tokenizer: Any, conversation: Messages, name: str) -> str:
    """Return a conversation as the text that a model was trained to answer; raises as `token_ids`."""
    from jinja2 import TemplateError

    template = TEMPLATES.get(conversation.template) if conversation.template else None
    if conversation.template and template is None:
        raise Invalid(f"no chat template named {conversation.template!r}; there are: {', '.join(TEMPLATES)}")
    if template is None and not getattr(tokenizer, "chat_template", None):
        raise UnsupportedContent(
            f"{name} has no chat template: it was not made to chat. Name one with --template "
            f"({', '.join(TEMPLATES)}) if its card says so, or continue a text instead",
            suggestion=f"ipfs-accel infer generate -m {name} PROMPT",
        )
    messages = [{"role": one.role, "content": one.content} for one in conversation.messages]
    try:
        # transformers renders in a sandbox of jinja2 that neither calls nor changes what it is given.
        text: str = tokenizer.apply_chat_template(
            messages, chat_template=template, add_generation_prompt=True, tokenize=False
        )
    except (TemplateError, ValueError, TypeError, KeyError) as error:
        raise Invalid(f"the chat template of {name} refuses these messages: {error}") from error
    return text


def check_room(prompt_tokens: int, max_tokens: int, context_tokens: int | None, name: str) -> None:
    """Raise Invalid, with the numbers, where a prompt and its answer are more than a model reads."""
    needed = prompt_tokens + max_tokens
    if context_tokens is None or needed <= context_tokens:
        return
    raise Invalid(
        f"{prompt_tokens} prompt tokens and {max_tokens} new ones are {needed}; {name} reads {context_tokens} at most",
        suggestion=f"--max-tokens {context_tokens - prompt_tokens}" if prompt_tokens < context_tokens else None,
        prompt_tokens=prompt_tokens,
        context_tokens=context_tokens,
    )
