"""Reading pickles without running them: every callable that one names must be on a short list."""

from __future__ import annotations

import pickletools
from collections.abc import Iterator
from typing import IO

from ipfs_accel_cli.core.errors import UnsafeContent

# The part of a checkpoint that is pickle is small: names, shapes and types. Tensors lie beside it.
MAX_PICKLE_BYTES = 64 << 20
MAX_OPCODES = 20_000_000

_TORCH_TYPES = (
    *("float64", "double", "float32", "float", "float16", "half", "bfloat16", "complex64", "complex128"),
    *("int64", "long", "int32", "int", "int16", "short", "int8", "uint8", "bool"),
    *("quint8", "qint8", "qint32", "float8_e4m3fn", "float8_e5m2"),
)
_TORCH_STORAGES = (
    *("Double", "Float", "Half", "BFloat16", "Long", "Int", "Short", "Char", "Byte", "Bool"),
    *("ComplexDouble", "ComplexFloat", "QUInt8", "QInt8", "QInt32"),
)
_NAMES: dict[str, tuple[str, ...]] = {
    "collections": ("OrderedDict",),
    "torch": (*_TORCH_TYPES, *(f"{name}Storage" for name in _TORCH_STORAGES), "Size", "device", "Tensor"),
    "torch._utils": (
        *("_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_tensor_v3", "_rebuild_parameter"),
        *("_rebuild_sparse_tensor", "_rebuild_qtensor", "_rebuild_meta_tensor_no_storage"),
    ),
    "torch.nn.parameter": ("Parameter", "Buffer"),
    "torch.storage": ("UntypedStorage", "TypedStorage", "_UntypedStorage", "_TypedStorage"),
    "torch.serialization": ("_get_layout",),
    "numpy": ("dtype", "ndarray"),
    "numpy.core.multiarray": ("_reconstruct", "scalar"),
    "numpy._core.multiarray": ("_reconstruct", "scalar"),
    "_codecs": ("encode",),
}
ALLOWED = frozenset((module, name) for module, names in _NAMES.items() for name in names)

_TEXTS = frozenset({"SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "UNICODE"})
_FETCHES = frozenset({"GET", "BINGET", "LONG_BINGET"})
_STORES = frozenset({"PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"})
# These call by a number that a registry outside of the file turns into a class.
_REGISTERED = frozenset({"EXT1", "EXT2", "EXT4"})


def check(stream: IO[bytes], name: str) -> None:
    """Read one pickle from a stream up to its STOP; raise UnsafeContent, naming the callable, unless all are allowed.

    Bounded in memory by `MAX_PICKLE_BYTES` and in time by `MAX_OPCODES`.
    """
    memo: dict[int, str | None] = {}
    recent: list[str | None] = []  # What the operations since the last unknown one pushed; only texts are known.
    for count, (opcode, argument, _) in enumerate(_operations(stream, name)):
        if count > MAX_OPCODES:
            raise UnsafeContent(f"{name} is a pickle of more than {MAX_OPCODES} operations, too many to check")
        if opcode in _STORES:
            memo[len(memo) if opcode == "MEMOIZE" else _index(argument)] = recent[-1] if recent else None
        elif opcode in _TEXTS:
            recent.append(str(argument))
        elif opcode in _FETCHES:
            recent.append(memo.get(_index(argument)))
        else:
            _judge(name, opcode, argument, recent)
            recent = []


def _judge(name: str, opcode: str, argument: object, recent: list[str | None]) -> None:
    if opcode in _REGISTERED:
        raise Unreadable(f"{name} is a pickle that calls by registry number ({opcode}), which no file of weights does")
    if opcode in ("GLOBAL", "INST"):
        module, _, attribute = str(argument).partition(" ")
    elif opcode == "STACK_GLOBAL":
        # Only two texts pushed right before it are surely the ones that it takes.
        known = [text for text in recent[-2:] if text is not None]
        if len(known) != 2:
            raise UnsafeContent(f"{name} is a pickle that hides the name of what it calls")
        module, attribute = known
    else:
        return
    if (module, attribute) not in ALLOWED:
        raise UnsafeContent(
            f"{name} is a pickle that calls {module}.{attribute}, which is not needed to hold weights",
            suggestion="use a safetensors version of the model",
            file=name,
            callable=f"{module}.{attribute}",
        )


def _operations(stream: IO[bytes], name: str) -> Iterator[tuple[str, object, int | None]]:
    try:
        for opcode, argument, position in pickletools.genops(_Bounded(stream, name)):  # type: ignore[arg-type]
            yield opcode.name, argument, position
    except UnsafeContent:
        raise
    except Exception as error:  # pickletools lets whatever its readers meet escape, on any damaged byte.
        raise Unreadable(f"{name} is not a pickle that can be read to its end: {error}") from error


class Unreadable(UnsafeContent):
    """A pickle that breaks off or breaks its format; what it called before is judged already."""


class _Bounded:
    """The reading half of a file, up to a limit of bytes."""

    def __init__(self, stream: IO[bytes], name: str) -> None:
        self._stream, self._name, self._left = stream, name, MAX_PICKLE_BYTES

    def read(self, size: int) -> bytes:
        return self._counted(self._stream.read(min(size, self._left + 1)))

    def readline(self) -> bytes:
        return self._counted(self._stream.readline(self._left + 1))

    def tell(self) -> int:
        return self._stream.tell()

    def _counted(self, data: bytes) -> bytes:
        self._left -= len(data)
        if self._left < 0:
            raise UnsafeContent(
                f"{self._name} holds a pickle of more than {MAX_PICKLE_BYTES} bytes, too large to check"
            )
        return data


def _index(argument: object) -> int:
    return argument if isinstance(argument, int) else int(str(argument))
