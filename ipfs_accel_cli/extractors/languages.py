"""Programming languages: how files are told, what begins a comment, and how definitions look."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import PurePosixPath

_NAME = r"[A-Za-z_$][\w$]{0,199}"


@dataclass(frozen=True, slots=True)
class Language:
    """`line` begins a comment that ends with its line; `block` are the pairs around longer ones.

    Each of `definitions` is matched at the beginning of a line without its indent, and its group is the name.
    """

    name: str
    line: tuple[str, ...] = ()
    block: tuple[tuple[str, str], ...] = ()
    definitions: tuple[re.Pattern[str], ...] = field(default=())


def _patterns(*texts: str) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(text.replace("NAME", f"({_NAME})")) for text in texts)


_C_LIKE = (("/*", "*/"),)
_PYTHON = _patterns(r"(?:async )?def NAME", r"class NAME")
_SCRIPT = _patterns(
    r"(?:export )?(?:default )?(?:async )?function\*? NAME",
    r"(?:export )?(?:default )?(?:abstract )?(?:class|interface|enum) NAME",
    r"(?:export )?type NAME(?: |<|=)",
    r"(?:export )?(?:const|let|var) NAME = (?:async )?(?:\([^()]{0,300}\)|[\w$]{1,100}) =>",
)
_C = _patterns(
    r"(?:typedef )?(?:struct|union|enum|class) NAME",
    r"#define NAME",
    r"namespace NAME",
    r"(?:[A-Za-z_][\w:<>,*&]{0,80} ){1,4}[*&]{0,3}NAME\([^;]{0,300}$",
)
_JAVA = _patterns(
    r"(?:[a-z]{2,12} ){0,4}(?:class|interface|enum|record|object) NAME",
    r"(?:(?:public|private|protected|static|final|override|async|virtual) ){1,4}[\w<>\[\],.?]{1,80} NAME\(",
    r"(?:[a-z]{2,12} ){0,3}(?:fun|def) NAME",
)
_RUST = _patterns(
    r"(?:pub(?:\([a-z]{1,10}\))? )?(?:async |unsafe |const ){0,3}fn NAME",
    r"(?:pub(?:\([a-z]{1,10}\))? )?(?:struct|enum|trait|mod|type|union) NAME",
    r"macro_rules! NAME",
)
_GO = _patterns(r"func (?:\([^()]{0,200}\) )?NAME", r"type NAME")
_LANGUAGES = (
    Language("python", ("#",), (('"""', '"""'), ("'''", "'''")), _PYTHON),
    Language("javascript", ("//",), _C_LIKE, _SCRIPT),
    Language("typescript", ("//",), _C_LIKE, _SCRIPT),
    Language("c", ("//",), _C_LIKE, _C),
    Language("c++", ("//",), _C_LIKE, _C),
    Language("cuda", ("//",), _C_LIKE, _C),
    Language("java", ("//",), _C_LIKE, _JAVA),
    Language("kotlin", ("//",), _C_LIKE, _JAVA),
    Language("scala", ("//",), _C_LIKE, _JAVA),
    Language("c#", ("//",), _C_LIKE, _JAVA),
    Language("swift", ("//",), _C_LIKE, _patterns(r"(?:[a-z]{2,12} ){0,3}(?:func|class|struct|enum|protocol) NAME")),
    Language("rust", ("//",), _C_LIKE, _RUST),
    Language("go", ("//",), _C_LIKE, _GO),
    Language("ruby", ("#",), (("=begin", "=end"),), _patterns(r"def (?:self\.)?NAME", r"(?:class|module) NAME")),
    Language("php", ("//", "#"), _C_LIKE, _patterns(r"(?:[a-z]{2,12} ){0,3}(?:function|class|interface|trait) NAME")),
    Language("shell", ("#",), (), _patterns(r"(?:function )?NAME ?\(\)", r"function NAME")),
    Language("lua", ("--",), (("--[[", "]]"),), _patterns(r"(?:local )?function (?:[\w.]{0,80}[.:])?NAME")),
    Language(
        "julia", ("#",), (("#=", "=#"),), _patterns(r"function NAME", r"(?:mutable )?struct NAME", r"module NAME")
    ),
    Language("r", ("#",), (), _patterns(r"NAME ?<- ?function")),
    Language("sql", ("--",), _C_LIKE, _patterns(r"(?i:create (?:or replace )?\w{1,20} (?:if not exists )?)NAME")),
    Language("haskell", ("--",), (("{-", "-}"),), _patterns(r"(?:data|newtype|class|module|type) NAME", r"NAME ::")),
    Language("make", ("#",), (), _patterns(r"NAME ?:(?!=)")),
    Language("docker", ("#",)),
    Language("yaml", ("#",)),
    Language("toml", ("#",)),
    Language("ini", (";", "#")),
    Language("css", (), _C_LIKE),
)
LANGUAGES = {language.name: language for language in _LANGUAGES}
_ENDINGS = {
    **{".py": "python", ".pyi": "python", ".js": "javascript", ".mjs": "javascript", ".cjs": "javascript"},
    **{".jsx": "javascript", ".ts": "typescript", ".tsx": "typescript", ".mts": "typescript"},
    **{".c": "c", ".h": "c", ".cc": "c++", ".cpp": "c++", ".cxx": "c++", ".hpp": "c++", ".hh": "c++"},
    **{".cu": "cuda", ".cuh": "cuda", ".java": "java", ".kt": "kotlin", ".kts": "kotlin", ".scala": "scala"},
    **{".cs": "c#", ".swift": "swift", ".rs": "rust", ".go": "go", ".rb": "ruby", ".php": "php"},
    **{".sh": "shell", ".bash": "shell", ".zsh": "shell", ".lua": "lua", ".jl": "julia", ".r": "r", ".sql": "sql"},
    **{".hs": "haskell", ".mk": "make", ".yaml": "yaml", ".yml": "yaml", ".toml": "toml"},
    **{".ini": "ini", ".cfg": "ini", ".css": "css"},
}
_NAMES = {"makefile": "make", "gnumakefile": "make", "dockerfile": "docker", "containerfile": "docker"}
_PROGRAMS = {
    **{"python": "python", "node": "javascript", "deno": "typescript", "bash": "shell", "sh": "shell", "zsh": "shell"},
    **{"ruby": "ruby", "lua": "lua", "julia": "julia", "rscript": "r", "php": "php"},
}
_SHEBANG = re.compile(r"#![ \t]*\S*?/?(?:env[ \t]+(?:-S[ \t]+)?)?([A-Za-z]+)[\d.]*(?=\s|$)")


def of(name: str, text: str) -> Language | None:
    """Return the language of a file by its name, else by the program that its first line names."""
    path = PurePosixPath(name.lower())
    found = _NAMES.get(path.name) or _ENDINGS.get(path.suffix)
    if found is None and text.startswith("#!"):
        first = text[:200].split("\n", 1)[0]
        called = _SHEBANG.match(first)
        found = _PROGRAMS.get(called[1].lower()) if called else None
    return LANGUAGES[found] if found else None
