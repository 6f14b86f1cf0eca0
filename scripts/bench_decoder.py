#!/usr/bin/env python3
"""Generation on torch through our service beside transformers' `generate`: ratios of CPU time, paired and in turns.

    python scripts/bench_decoder.py [--pairs 10] [--threads 1] [--new 48] [--sections plain,many,int8,compile,bound]

Both sides run the same weights (a llama of 74 M, random: speed does not depend on what they say), prompt and number of
tokens. A ratio is judged by its lower quartile over the pairs. That of sixteen at once holds for answers of 48 tokens
and more: of shorter ones most of the time is the prompt, which costs nearly as much in company as alone. With more than
one thread, barriers spin while others have the cores: on a machine that is not idle, measure with one.
"""

from __future__ import annotations

import argparse
import math
import os
import random
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
from transformers.utils import logging

from ipfs_accel_cli.engines.base import Chunk, Loadable, ModelFacts, Plan, Request
from ipfs_accel_cli.engines.exchange.text import GenerateOptions, Prompt, ScoreOptions, Texts
from ipfs_accel_cli.engines.torch.engine import TorchEngine
from ipfs_accel_cli.services.infer.runtime import Key, Runtime, Warm
from ipfs_accel_cli.tasks.score import Score

PROMPT_TOKENS, WORDS, MANY, SCORED = 64, 32_000, 16, 256
SIZE = {"hidden_size": 512, "num_hidden_layers": 12, "intermediate_size": 1536, "num_attention_heads": 8}
WANTED = {"plain": 1.15, "many": 4.0, "int8": 1.5, "compile": 1.4, "bound": 0.7}


def make_model(folder: Path) -> None:
    """Save the model and a vocabulary of numbered words."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    torch.manual_seed(0)
    config = LlamaConfig(vocab_size=WORDS, max_position_embeddings=1024, eos_token_id=None, bos_token_id=None, **SIZE)
    LlamaForCausalLM(config).save_pretrained(folder)
    words = Tokenizer(models.WordLevel({f"w{at}": at for at in range(WORDS)}, unk_token="w0"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(tokenizer_object=words, unk_token="w0", pad_token="w0").save_pretrained(folder)


def prompt_of(seed: int, tokens: int = PROMPT_TOKENS) -> str:
    """Return a prompt of so many tokens."""
    chance = random.Random(seed)
    return " ".join(f"w{chance.randrange(5, WORDS)}" for _ in range(tokens))


class Ours:
    """A model held as the service holds it: one owner thread, chunks over a queue."""

    def __init__(self, folder: Path, dtype: str, threads: int, *, compiled: bool = False) -> None:
        facts = ModelFacts("bench", str(folder), ("LlamaForCausalLM",), "llama", ("generate",), dtype=dtype)
        model, plan = Loadable(facts, folder), Plan("generate", threads=threads, compiled=compiled)
        runtime = Runtime(lambda _held: 1 << 40)
        load = lambda: TorchEngine().load(facts, model.folder, plan)  # noqa: E731
        self._lease = runtime.lease(
            Key(facts.manifest, "generate", "torch", "cpu"), "bench", plan, 1, lambda: 1 << 40, load
        )
        self.warm: Warm = self._lease.__enter__()

    def one(self, new: int, seed: int = 0) -> list[Chunk]:
        """Write `new` tokens."""
        request = Request("generate", Prompt(prompt_of(seed)), GenerateOptions(new))
        with closing(self.warm.worker.ask(request)) as answer:
            return list(answer)

    def many(self, new: int) -> None:
        """Write as many for each of many callers at once."""
        callers = [threading.Thread(target=self.one, args=(new, seed)) for seed in range(MANY)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()

    def perplexity(self) -> float:
        """Return the perplexity of some text."""
        request = Request("score", Texts((prompt_of(7, SCORED),)), ScoreOptions())
        with closing(self.warm.worker.ask(request)) as answer:
            found = Score().collect(answer)
        return math.exp(sum(found.nats) / sum(found.tokens))

    def close(self) -> None:
        """Let go of it."""
        self._lease.__exit__(None, None, None)
        self.warm.worker.close()


def theirs(folder: Path) -> Callable[[int], None]:
    """Return transformers' own `generate`, from text to text."""
    model, tokenizer = AutoModelForCausalLM.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)

    def generate(new: int) -> None:
        inputs = tokenizer(prompt_of(0), return_tensors="pt", return_token_type_ids=False)
        with torch.inference_mode():
            output = model.generate(**inputs, do_sample=False, max_new_tokens=new, min_new_tokens=new, pad_token_id=0)
        tokenizer.decode(output[0])

    return generate


def cpu_seconds(work: Callable[[], object]) -> float:
    """Return the processor time that some work takes in all threads."""
    start = time.process_time()
    work()
    return time.process_time() - start


def paired(one: Callable[[], object], other: Callable[[], object], pairs: int) -> list[tuple[float, float]]:
    """Return the seconds of both, `pairs` times, each first in turn."""
    one(), other()
    found = []
    for at in range(pairs):
        if at % 2:
            mine = cpu_seconds(other)
            found.append((cpu_seconds(one), mine))
        else:
            found.append((cpu_seconds(one), cpu_seconds(other)))
    return found


def report(section: str, text: str, ratios: list[float]) -> bool:
    """Print a section's ratio and say whether it reaches what is wanted."""
    low, middle, high = statistics.quantiles(ratios, n=4)
    wanted = WANTED[section]
    verdict = "held" if low >= wanted else f"MISSED by {wanted - low:.2f}"
    print(f"{verdict:14} {section:8} {middle:5.2f}  (quartiles {low:.2f}, {high:.2f}; wanted >= {wanted})  {text}")
    return low >= wanted


def read_limit_bytes_s(rounds: int = 9) -> float:
    """Return how fast this process can read memory, by its processor time: a sum over 512 MiB, the best of some."""
    block = torch.ones(128 << 20)
    return max(block.nbytes / cpu_seconds(block.sum) for _ in range(rounds))


def overhead(ours: Ours, folder: Path, new: int, pairs: int) -> str:
    """Return what we add to a token over the bare network with the same cache and layout."""
    from ipfs_accel_cli.engines.torch.decoding.batch import Network
    from ipfs_accel_cli.engines.torch.decoding.columns import Columns
    from ipfs_accel_cli.engines.torch.decoding.layout import lay_out

    model = AutoModelForCausalLM.from_pretrained(folder).eval()
    lay_out(model)
    network = Network(model, torch.device("cpu"), "bench")
    first = torch.tensor([[int(word[1:]) for word in prompt_of(0).split()]])

    def bare() -> None:
        ids, columns = first, Columns(room=PROMPT_TOKENS + new)
        with torch.inference_mode():
            for _ in range(new):
                ids = network.read(ids, columns).argmax(-1, keepdim=True)

    timed = paired(bare, lambda: ours.one(new), pairs)
    added = statistics.median((mine - plain) / new for plain, mine in timed) * 1e6
    share = statistics.median(mine / plain - 1 for plain, mine in timed)
    bound = max(100.0, 0.03 * statistics.median(plain / new for plain, _ in timed) * 1e6)
    verdict = "held" if added <= bound else "MISSED"
    return f"{verdict:14} overhead {added:.0f} µs a token, {share:.1%}; allowed {bound:.0f} µs"


def int8_folder(folder: Path, target: Path) -> Path:
    """Quantise the model as `model quantize --method torch-int8` does."""
    import shutil

    shutil.copytree(folder, target)
    facts = ModelFacts("bench", "bench", ("LlamaForCausalLM",), "llama", ("generate",), dtype="float32")
    TorchEngine().quantize(facts, folder, Plan("generate"), target)
    return target


def main() -> None:
    """Run the sections and say whether each reached what is wanted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=10)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--new", type=int, default=48)
    parser.add_argument("--sections", default="plain,many,int8,compile,bound")
    asked = parser.parse_args()
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    torch.set_num_threads(asked.threads)
    load = os.getloadavg()[0]
    print(
        f"llama 74 M float32, prompt {PROMPT_TOKENS}, {asked.new} new tokens, threads {asked.threads}, load {load:.1f}"
    )
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / "model"
        make_model(folder)
        held = run(folder, asked, asked.sections.split(","))
    sys.exit(not held)


def run(folder: Path, asked: Any, sections: list[str]) -> bool:
    """Run the sections; return whether all held."""
    new, pairs, held = asked.new, asked.pairs, True
    plain, ours = theirs(folder), Ours(folder, "float32", asked.threads)
    generate: Callable[[], object] = lambda: plain(new)  # noqa: E731
    if "plain" in sections:
        timed = paired(generate, lambda: ours.one(new), pairs)
        rate = new / min(mine for _, mine in timed)
        held &= report("plain", f"{rate:.0f} tokens a second of processor time", [one / two for one, two in timed])
        print(overhead(ours, folder, new, pairs))
    if "many" in sections:
        timed = paired(lambda: ours.one(new), lambda: ours.many(new), max(4, pairs // 2))
        held &= report(
            "many",
            f"{MANY} at once beside one at a time, {new} new tokens each",
            [MANY * one / two for one, two in timed],
        )
    if "int8" in sections:
        rounded = Ours(int8_folder(folder, folder.parent / "int8"), "int8", asked.threads)
        timed = paired(generate, lambda: rounded.one(new), pairs)
        held &= report("int8", "beside float32 `generate`", [one / two for one, two in timed])
        told = f"{ours.perplexity():.4g} in float32, {rounded.perplexity():.4g} in int8"
        print(f"{'':14} perplexity of {SCORED} random words to random weights: {told}")
        rounded.close()
    if "compile" in sections or "bound" in sections:
        held &= compiled(folder, asked, generate, sections)
    ours.close()
    return held


def compiled(folder: Path, asked: Any, generate: Callable[[], object], sections: list[str]) -> bool:
    """Measure `--compile`, beside `generate` and beside the time that reading the weights alone takes."""
    start = time.perf_counter()
    fast = Ours(folder, "float32", asked.threads, compiled=True)
    timed = paired(generate, lambda: fast.one(asked.new), asked.pairs)
    print(f"{'':14} compile: loading, compiling and the first runs took {time.perf_counter() - start:.0f} s")
    held = "compile" not in sections or report("compile", "beside `generate`", [one / two for one, two in timed])
    if "bound" in sections:
        # Every token reads each weight once, but of the embedding one row; the reading of the prompt is left out.
        weights = (folder / "model.safetensors").stat().st_size - WORDS * SIZE["hidden_size"] * 4
        shares = []
        for _ in range(asked.pairs):
            limit = weights / read_limit_bytes_s(3)
            long, short = cpu_seconds(lambda: fast.one(asked.new + 1)), cpu_seconds(lambda: fast.one(1))
            shares.append(limit / ((long - short) / asked.new))
        held &= report("bound", "of the limit that memory sets (a sum over 512 MiB)", shares)
    fast.close()
    return held


if __name__ == "__main__":
    main()
