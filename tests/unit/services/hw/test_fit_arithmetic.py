"""The arithmetic of `hw fit`: cache, activations, tied weights, windows, and what it says of files and machines."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.formats.tensors import Tensor
from ipfs_accel_cli.services.hw.fit import arithmetic, judging, placing, planning, ranking, requiring
from ipfs_accel_cli.services.hw.fit.arithmetic import Shape
from ipfs_accel_cli.services.hw.fit.bandwidth import Rate, rate
from ipfs_accel_cli.services.hw.fit.budget import Room, room
from ipfs_accel_cli.services.hw.fit.headers import Described
from ipfs_accel_cli.services.hw.fit.pace import speed
from ipfs_accel_cli.services.hw.fit.shape import stacks
from tests.unit.services.hw.machines import GIB, machine

LLAMA_8B: dict[str, Any] = {
    **{"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 4096, "num_hidden_layers": 32},
    **{"num_attention_heads": 32, "num_key_value_heads": 8, "intermediate_size": 14336, "vocab_size": 128256},
    **{"hidden_act": "silu", "max_position_embeddings": 131072},
}
DEEPSEEK: dict[str, Any] = {
    **{"architectures": ["DeepseekV3ForCausalLM"], "hidden_size": 7168, "num_hidden_layers": 61},
    **{"num_attention_heads": 128, "num_key_value_heads": 128, "kv_lora_rank": 512, "qk_rope_head_dim": 64},
}


def described(config: dict[str, Any], *tensors: Tensor, form: str = "safetensors") -> Described:
    return Described("model", form, tensors, config, {}, 100, "id")


def kv(config: dict[str, Any], context: int, dtype: str = "float16") -> int:
    return sum(arithmetic.kv_bytes(tower, Shape(context, 1), dtype) for tower in stacks(config, {}))


def test_the_cache_of_llama_3_8b_is_the_published_128_kib_a_token() -> None:
    # 2 x 32 layers x 8 heads x 128 x 2 bytes: https://arxiv.org/abs/2407.21783, table 3.
    assert kv(LLAMA_8B, 1) == 128 << 10
    assert kv(LLAMA_8B, 8192) == GIB


def test_the_cache_of_deepseek_v3_is_the_published_70_kb_a_token() -> None:
    # (512 + 64) x 61 x 2 bytes: https://arxiv.org/abs/2505.09343, table 1 (70.272 KB).
    assert kv(DEEPSEEK, 1, "bfloat16") == 70272


def test_grouped_queries_and_narrow_caches_take_less() -> None:
    assert kv({**LLAMA_8B, "num_key_value_heads": 32}, 64) == 4 * kv(LLAMA_8B, 64)
    assert kv(LLAMA_8B, 64, "int8") * 2 == kv(LLAMA_8B, 64)


def test_layers_with_a_sliding_window_stop_growing_there() -> None:
    every = {**LLAMA_8B, "sliding_window": 1024}
    assert kv(every, 4096) == kv(every, 1024)
    kinds = ["sliding_attention", "full_attention"] * 16
    assert kv({**every, "layer_types": kinds}, 2048) == kv(LLAMA_8B, 2048) * 3 // 4
    assert kv({**every, "use_sliding_window": False}, 4096) == kv(LLAMA_8B, 4096)


def test_an_encoder_keeps_no_cache() -> None:
    assert kv({"architectures": ["BertModel"], "hidden_size": 384, "num_hidden_layers": 6}, 512) == 0


def activations(config: dict[str, Any], context: int, batch: int) -> int:
    return judging.need(judging.model_of(described(config)), Shape(context, batch), "float32", "float32").activations


def test_a_function_written_out_in_python_holds_more_than_one_computed_in_one_go() -> None:
    gpt2 = {"architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "n_embd": 512, "n_layer": 8, "n_head": 8}
    # Four of inner width (2048) and two of hidden width, beside two and two: transformers' NewGELUActivation.
    assert activations({**gpt2, "activation_function": "gelu_new"}, 1024, 1) == 1024 * 4 * (4 * 2048 + 2 * 512)
    assert activations({**gpt2, "activation_function": "gelu"}, 1024, 1) == 1024 * 4 * (2 * 2048 + 2 * 512)


def test_prompts_of_a_decoder_are_read_one_after_the_other_and_an_encoder_reads_its_batch_at_once() -> None:
    assert activations(LLAMA_8B, 512, 8) - activations(LLAMA_8B, 512, 1) == 0
    encoder = {**LLAMA_8B, "architectures": ["BertModel"], "model_type": "bert"}
    assert activations(encoder, 512, 8) == 8 * activations(encoder, 512, 1)


def test_an_encoder_is_done_before_the_cache_of_its_decoder_is_filled() -> None:
    whisper = {
        **{"architectures": ["WhisperForConditionalGeneration"], "model_type": "whisper", "num_mel_bins": 80},
        **{"d_model": 512, "encoder_layers": 6, "decoder_layers": 6, "max_source_positions": 1500},
        **{"encoder_attention_heads": 8, "decoder_attention_heads": 8, "is_encoder_decoder": True},
    }
    need = judging.need(judging.model_of(described(whisper)), Shape(8, 4), "float32", "float32")
    assert need.kv_cache > 100 << 20
    assert need.activations < 1 << 20


def test_a_head_that_is_the_embedding_counts_once() -> None:
    tensors = (
        Tensor("model.embed_tokens.weight", "float32", (100, 8), 3200),
        Tensor("lm_head.weight", "float32", (100, 8), 3200),
    )
    tied = judging.model_of(described({**LLAMA_8B, "tie_word_embeddings": True}, *tensors))
    apart = judging.model_of(described({**LLAMA_8B, "tie_word_embeddings": False}, *tensors))
    assert (tied.stored_bytes, tied.parameters) == (3200, 800)
    assert apart.stored_bytes == 6400


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(1, 1 << 20), st.integers(1, 64), st.integers(0, 1 << 40))
def test_the_largest_context_and_batch_fit_and_one_more_does_not(context: int, batch: int, budget: int) -> None:
    model = judging.model_of(described({**LLAMA_8B, "max_position_embeddings": 1 << 20}))
    shape = Shape(context, batch)
    longest, widest = judging.largest(model, shape, "float16", "float16", budget)
    assert longest is not None
    assert widest is not None

    def fits(tokens: int, count: int) -> bool:
        return judging.need(model, Shape(tokens, count), "float16", "float16").lasting <= budget

    assert longest == 0 or fits(longest, batch)
    assert longest == 1 << 20 or not fits(longest + 1, batch)
    assert widest == 0 or fits(context, widest)
    assert widest == judging.MAX_BATCH or not fits(context, widest + 1)


@pytest.mark.parametrize("key", [*LLAMA_8B, "kv_lora_rank", "sliding_window", "vision_config", "layer_types"])
def test_no_config_however_strange_breaks_the_arithmetic(key: str) -> None:
    for value in (None, True, -1, 0, 1 << 70, 1.5, "x", [1, None], {}, [[]]):
        model = judging.model_of(described({**LLAMA_8B, key: value}))
        assert judging.need(model, Shape(10, 1), "float16", "float16").total > 0


def test_speed_is_an_estimate_from_bandwidth_and_unknown_without_one() -> None:
    model = judging.model_of(described(LLAMA_8B, Tensor("w", "float16", (500_000_000,), 1_000_000_000)))
    need = judging.need(model, Shape(1, 1), "float16", "float16")
    known = speed(model, need, Shape(1, 1), Rate(20e9), Rate(None))
    assert known.basis == "estimate"
    assert known.tokens_s == pytest.approx(20, rel=0.01)
    unknown = speed(model, need, Shape(1, 1), rate(machine(), "cpu", None), Rate(None))
    assert (unknown.tokens_s, unknown.basis) == (None, "unknown")
    assert unknown.reason == "no measurement: ipfs-accel hw bench memory"


def test_a_rate_is_that_of_the_device_and_a_measured_one_comes_first() -> None:
    here = machine(64, gpus=1)
    promised = {"bandwidth_bytes_s": 3350 * 10**9, "bandwidth_origin": "vendor"}
    there = here.model_copy(update={"accelerators": [here.accelerators[0].model_copy(update=promised)]})
    assert rate(there, "cuda:0", 20e9, name="there") == Rate(3350e9, "vendor")
    assert rate(there, "cpu", 20e9, name="there") == Rate(20e9, "measured")
    assert rate(there, "cpu", None, name="there").reason == "nobody says how fast cpu of there reads its memory"
    assert rate(here, "cuda:0", 20e9).value is None


def test_a_device_map_fills_devices_in_the_order_of_the_layers_and_ends_on_disk() -> None:
    tensors = [Tensor(f"model.layers.{at}.mlp.weight", "float32", (1,), 40) for at in range(12)]
    placed = placing.by_arithmetic(tensors, [Room("cuda:0", 100), Room("cpu", 200)], 1.0)
    assert [one.module.rpartition(".")[2] for one in placed] == [str(at) for at in range(12)]
    assert [one.device for one in placed] == ["cuda:0"] * 2 + ["cpu"] * 5 + ["disk"] * 5


def test_the_roomiest_accelerator_is_chosen_and_a_missing_one_is_refused() -> None:
    assert room(machine(64, gpus=2), None, now=True) == Room("cuda:0", 80 * GIB)
    assert room(machine(64), None, now=True) == Room("cpu", 64 * GIB)
    with pytest.raises(Invalid, match="there are: cpu"):
        room(machine(64), "cuda", now=True)


def test_a_plan_names_the_smallest_machine_first_and_says_what_the_speed_needs() -> None:
    model = judging.model_of(described(LLAMA_8B, Tensor("w", "bfloat16", (8_000_000_000,), 16_000_000_000)))
    hosts = {"big": machine(512), "gpu": machine(64, gpus=8), "small": machine(1), "mid": machine(32)}
    found = planning.plan(model, Shape(8192, 1), None, hosts, lambda *_: (Rate(None), Rate(None)))
    assert [row.machine for row in found.machines if row.meets] == ["mid", "gpu", "big"]
    assert found.machines[-1].meets is False
    quick = planning.plan(
        *(model, Shape(8192, 1), 10, hosts),
        lambda name, *_: (Rate(400e9 if name == "big" else 50e9), Rate(None)),
    )
    assert quick.bandwidth_bytes_s == pytest.approx(10 * (16e9 + GIB))
    assert [row.machine for row in quick.machines if row.meets] == ["big"]


def test_requirements_tell_what_was_found_and_what_is_unknown_is_unmet() -> None:
    wanted = requiring.Wanted("8GiB", "40GiB", "10GiB", 2, ("avx2", "amx"), "cuda")
    rows = {(row.requirement, row.wanted): row for row in requiring.check(wanted, machine(16, cores=None))}
    assert rows["memory", "8.0 GiB"].met
    assert rows["instructions", "avx2"].met
    assert not rows["instructions", "amx"].met
    assert (rows["gpu", "cuda"].met, rows["gpu", "cuda"].found) == (False, "none")
    assert (rows["cores", "2"].met, rows["cores", "2"].found) == (False, "unknown")
    assert all(row.met for row in requiring.check(requiring.Wanted(gpu_memory="40GiB", gpu="cuda"), machine(gpus=8)))
    with pytest.raises(Invalid):
        requiring.check(requiring.Wanted(), machine())


def test_a_ranking_gives_reasons_and_puts_what_is_unknown_after_what_fits() -> None:
    here = ranking.Candidate("here", "here@1", True, ("embed",), "mit", "show")
    far = ranking.Candidate("far", "far", False, ("embed",), None, "pull")
    rows = ranking.rank(ranking.Wanted("embed"), [(far, None, ""), (here, None, "its weights are damaged")])
    assert [row.model for row in rows] == ["here", "far"]
    assert rows[0].cons == ["its weights are damaged"]
    assert rows[1].command == "pull"
    assert ranking.rank(ranking.Wanted("embed", modality="image"), [(here, None, "")]) == []
