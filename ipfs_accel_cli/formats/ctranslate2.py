"""Headers of CTranslate2's `model.bin`, format 2 to 6: which network it is and where its variables lie.

Little endian: u32 version, name of the network, u32 revision, u32 count; then for each variable its name, u8 rank, u32
dimensions, u8 dtype, u32 bytes, data; then u32 count of aliases and pairs of names. A string is u16 length with a
final NUL.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

from ipfs_accel_cli.core.errors import MalformedContent
from ipfs_accel_cli.formats.reading import Cursor, Reader

FILE = "model.bin"
# Their codes in the file, by the names that numpy and torch have for them; bfloat16 is only torch's.
DTYPES = {0: "float32", 1: "int8", 2: "int16", 3: "int32", 4: "float16", 5: "bfloat16"}
_BYTES = {"float32": 4, "int8": 1, "int16": 2, "int32": 4, "float16": 2, "bfloat16": 2}
_VERSIONS = range(2, 7)
_WITH_ALIASES = 3
_MOST_VARIABLES = 1 << 16
_LONGEST_NAME = 512
_HIGHEST_RANK = 8
_PRINTABLE = range(0x20, 0x7F)


@dataclass(frozen=True, slots=True)
class Variable:
    """Where a tensor lies in the file."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    offset: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Header:
    """`spec` names the network, such as `WhisperSpec`; `aliases` are other names of variables."""

    spec: str
    revision: int
    variables: Mapping[str, Variable]
    aliases: Mapping[str, str]

    @property
    def parameters(self) -> int:
        """How many numbers the variables of more than one number hold; single ones are settings."""
        return sum(prod(one.shape) for one in self.variables.values() if one.shape)


def is_one(reader: Reader) -> bool:
    """Say whether a file begins as one of these; pickles and archives do not."""
    head = reader.read(0, 6)
    if len(head) < 6 or int.from_bytes(head[:4], "little") not in _VERSIONS:
        return False
    length = int.from_bytes(head[4:6], "little")
    name = reader.read(6, length)
    return 1 < length <= _LONGEST_NAME and name[-1:] == b"\0" and all(byte in _PRINTABLE for byte in name[:-1])


def header(reader: Reader) -> Header:
    """Read the header; raises MalformedContent for a file that breaks the format or ends early."""
    if not is_one(reader):
        raise MalformedContent(f"{reader.name} does not begin as a model of CTranslate2")
    cursor = Cursor(reader)
    version = cursor.whole(4)
    spec, revision, count = _string(cursor), cursor.whole(4), cursor.whole(4)
    if count > _MOST_VARIABLES:
        raise MalformedContent(f"{reader.name}: {count} variables are promised")
    variables = {one.name: one for one in (_variable(cursor, reader.name) for _ in range(count))}
    pairs = cursor.whole(4) if version >= _WITH_ALIASES else 0
    if pairs > _MOST_VARIABLES:
        raise MalformedContent(f"{reader.name}: {pairs} aliases are promised")
    aliases = {_string(cursor): _string(cursor) for _ in range(pairs)}
    return Header(spec, revision, variables, aliases)


def _variable(cursor: Cursor, file: str) -> Variable:
    name, rank = _string(cursor), cursor.whole(1)
    if rank > _HIGHEST_RANK:
        raise MalformedContent(f"{file}: {name} has {rank} dimensions")
    shape = tuple(cursor.whole(4) for _ in range(rank))
    code, size = cursor.whole(1), cursor.whole(4)
    dtype = DTYPES.get(code, "")
    if not dtype or size != prod(shape) * _BYTES[dtype]:
        raise MalformedContent(f"{file}: {name} of shape {shape} and dtype {code} cannot have {size} bytes")
    offset = cursor.position
    cursor.skip(size)
    return Variable(name, shape, dtype, offset, size)


def _string(cursor: Cursor) -> str:
    length = cursor.whole(2)
    if not 0 < length <= _LONGEST_NAME:
        raise MalformedContent(f"a name of {length} bytes")
    return cursor.take(length)[:-1].decode("utf-8", "replace")
