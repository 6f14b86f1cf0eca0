"""Reading pickles without running them: every callable that one names must be on a short list."""

from __future__ import annotations

import pickletools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

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


@dataclass(frozen=True, slots=True)
class Found:
    """Something that speaks against a file. `offset` counts in the file, or in the member of the archive it names.

    `kind` is `call` (it names something to run), `unreadable` (it cannot be read to its end), `limit` (it is too large
    to be judged), `archive` (a member would leave its folder) or `layer` (a model that holds code).
    """

    file: str
    kind: str
    detail: str
    offset: int | None = None
    callable: str | None = None

    def error(self) -> UnsafeContent:
        """Return the error that refuses the file for this."""
        context: dict[str, Any] = {"file": self.file}
        context |= {"callable": self.callable} if self.callable else {}
        context |= {"offset": self.offset} if self.offset is not None else {}
        suggestion = "use a safetensors version of the model" if self.callable else None
        return UnsafeContent(self.detail, suggestion=suggestion, **context)


def check(stream: IO[bytes], name: str) -> None:
    """Read one pickle from a stream up to its STOP; raise UnsafeContent unless all that it calls is allowed."""
    for found in examine(stream, name):
        raise found.error()


def examine(stream: IO[bytes], name: str, seen: set[str] | None = None) -> Iterator[Found]:
    """Read one pickle from a stream up to its STOP and yield what speaks against it; `seen` takes each callable named.

    Bounded in memory by `MAX_PICKLE_BYTES` and in time by `MAX_OPCODES`.
    """
    memo: dict[int, str | None] = {}
    recent: list[str | None] = []  # What the operations since the last unknown one pushed; only texts are known.
    try:
        for count, (opcode, argument, offset) in enumerate(pickletools.genops(_Bounded(stream, name))):  # type: ignore[arg-type]
            if count > MAX_OPCODES:
                yield Found(
                    name, "limit", f"{name} is a pickle of more than {MAX_OPCODES} operations, too many to check"
                )
                return
            if opcode.name in _STORES:
                memo[len(memo) if opcode.name == "MEMOIZE" else _index(argument)] = recent[-1] if recent else None
            elif opcode.name in _TEXTS:
                recent.append(str(argument))
            elif opcode.name in _FETCHES:
                recent.append(memo.get(_index(argument)))
            else:
                found = _judge(name, opcode.name, argument, offset, recent, seen)
                if found is not None:
                    yield found
                recent = []
    except _TooLarge as error:
        yield Found(name, "limit", str(error))
    except Exception as error:  # pickletools lets whatever its readers meet escape, on any damaged byte.
        yield Found(name, "unreadable", f"{name} is not a pickle that can be read to its end: {error}")


def _judge(
    name: str, opcode: str, argument: object, offset: int | None, recent: list[str | None], seen: set[str] | None
) -> Found | None:
    if opcode in _REGISTERED:
        detail = f"{name} is a pickle that calls by registry number ({opcode}), which no file of weights does"
        return Found(name, "unreadable", detail, offset)
    if opcode in ("GLOBAL", "INST"):
        module, _, attribute = str(argument).partition(" ")
    elif opcode == "STACK_GLOBAL":
        # Only two texts pushed right before it are surely the ones that it takes.
        known = [text for text in recent[-2:] if text is not None]
        if len(known) != 2:
            return Found(name, "call", f"{name} is a pickle that hides the name of what it calls", offset)
        module, attribute = known
    else:
        return None
    called = f"{module}.{attribute}"
    if seen is not None:
        seen.add(called)
    if (module, attribute) in ALLOWED:
        return None
    return Found(
        name, "call", f"{name} is a pickle that calls {called}, which is not needed to hold weights", offset, called
    )


class _TooLarge(Exception):
    """A pickle that is longer than what is looked at."""


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
            raise _TooLarge(f"{self._name} holds a pickle of more than {MAX_PICKLE_BYTES} bytes, too large to check")
        return data


def _index(argument: object) -> int:
    return argument if isinstance(argument, int) else int(str(argument))
