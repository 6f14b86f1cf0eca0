"""A hub on loopback for the real huggingface_hub client: every ROOT/ORG/NAME folder is a repository of a model.

Those of datasets and spaces lie in ROOT/datasets/ORG/NAME and ROOT/spaces/ORG/NAME, and are named so everywhere here.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from tests.servers.hub_uploads import LFS_BYTES, Uploads, named
from tests.servers.serving import Handler, Site, serving


class Hub(Site):
    """Knows branches and the commits that pushes replaced. With `token` set every request must carry it."""

    def __init__(self, root: Path) -> None:
        super().__init__()
        self.root = root
        self.token: str | None = None
        self.gated: set[str] = set()
        self.tree_names: dict[str, str] = {}  # what the listing calls a file instead of its name
        self.uploads = Uploads(self)
        self.past: dict[str, Path] = {}  # where the files of an earlier commit lie
        self.branches: dict[str, Path] = {}  # where those of ORG/NAME@BRANCH lie, if it is not main
        self.facts: dict[str, dict[str, object]] = {}  # what the list of models says of one, beside what is usual
        self.unwell: int | None = None  # the status of every search
        self.page_entries = 1000  # how many files and folders one page of a list has

    def commit(self, repository: str, branch: str = "main") -> str:
        """Return the commit id of a branch as it stands."""
        return self._commit_of(self.branch(repository, branch))

    def branch(self, repository: str, name: str) -> Path:
        """Return the folder with the files of a branch."""
        return self.branches.get(f"{repository}@{name}", self.root / repository)

    def keep(self, repository: str, branch: str) -> None:
        """Remember the files of a branch as they are now under their commit."""
        commit = self.commit(repository, branch)
        self.past[commit] = self.root.with_name("past") / commit
        shutil.copytree(self.branch(repository, branch), self.past[commit], dirs_exist_ok=True)

    def add_branch(self, repository: str, name: str) -> None:
        """Let a branch begin where main is."""
        folder = self.root.with_name("branches") / repository / name
        shutil.copytree(self.root / repository, folder)
        self.branches[f"{repository}@{name}"] = folder

    def _commit_of(self, folder: Path) -> str:
        digest = hashlib.sha1()
        for name, path in _files(folder).items():
            digest.update(name.encode() + hashlib.sha1(path.read_bytes()).digest())
        return digest.hexdigest()

    def _folder(self, repository: str, revision: str) -> Path | None:
        """Return the files of a branch or a commit; None where there is no such thing."""
        branches = {key: path for key, path in self.branches.items() if key.startswith(f"{repository}@")}
        known = {"main": self.root / repository, **{key.rpartition("@")[2]: path for key, path in branches.items()}}
        return known.get(revision) or {**self.past, **{self._commit_of(path): path for path in known.values()}}.get(
            revision
        )

    def answer(self, handler: Handler) -> None:
        body = handler.body()
        if self.token and handler.headers.get("authorization") != f"Bearer {self.token}":
            return _refuse(handler, 401, "", "Invalid credentials in Authorization header")
        path = urlsplit(handler.path).path
        if path == "/api/models" and handler.command == "GET":
            return self._search(handler, parse_qs(urlsplit(handler.path).query))
        match = re.fullmatch(r"/api/(model|dataset|space)s/([^/]+/[^/]+)(?:/(revision|tree)/([^/]+)(?:/(.+))?)?", path)
        if match and handler.command == "GET":
            with self.uploads.changing:
                return self._api(handler, named(match[1], match[2]), match[3] or "revision", match[4], match[5])
        if match := re.fullmatch(r"/api/(model|dataset|space)s/([^/]+/[^/]+)/paths-info/([^/]+)", path):
            with self.uploads.changing:
                return self._paths(handler, named(match[1], match[2]), match[3], parse_qs(body.decode()))
        if match := re.fullmatch(r"/api/(model|dataset|space)s/([^/]+/[^/]+)/auth-check(/write)?", path):
            if self._refused(handler, named(match[1], match[2])):
                return None
            allowed = not (match[3] and self.uploads.read_only)
            return _json(handler, {}) if allowed else _refuse(handler, 403, "", "no right to write")
        if self.uploads.answer(handler, path, body):
            return None
        if match := re.fullmatch(r"/(?:(dataset|space)s/)?([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
            repository = named(match[1] or "model", match[2])
            return self._content(handler, repository, unquote(match[3]), unquote(match[4]))
        return _refuse(handler, 404, "", "not handled by this hub")

    def _search(self, handler: Handler, asked: dict[str, list[str]]) -> None:
        """List models whose name holds the text that is searched for, with what `expand` names and nothing else."""
        if self.unwell is not None:
            return _refuse(handler, self.unwell, "", "the search is not well")
        wanted = asked.get("search", [""])[0].lower()
        folders = [path for path in sorted(self.root.glob("*/*")) if path.parent.name not in ("datasets", "spaces")]
        names = [f"{path.parent.name}/{path.name}" for path in folders if path.is_dir()]
        found = [self._row(name, asked.get("expand")) for name in names if wanted in name.lower()]
        return _json(handler, found[: int(asked.get("limit", ["1000"])[0])])

    def _row(self, name: str, expand: list[str] | None) -> dict[str, object]:
        known: dict[str, object] = {
            **{"sha": self.commit(name), "private": False, "gated": name in self.gated, "downloads": 0, "likes": 0},
            **{"tags": ["license:mit"], **dict.fromkeys(("createdAt", "lastModified"), "2026-01-31T12:00:00.000Z")},
            **self.facts.get(name, {}),
        }
        shown = known if expand is None else {key: known[key] for key in expand if key in known}
        number = hashlib.sha1(name.encode()).hexdigest()[:24]
        return {"_id": number, "id": name, **shown, **({} if expand else {"modelId": name})}

    def _refused(self, handler: Handler, repository: str) -> bool:
        if not (self.root / repository).is_dir():
            _refuse(handler, 404, "RepoNotFound", "Repository not found")
            return True
        if repository in self.gated:
            _refuse(handler, 403, "GatedRepo", "Access to this model is restricted")
            return True
        return False

    def _paths(self, handler: Handler, repository: str, revision: str, asked: dict[str, list[str]]) -> None:
        if self._refused(handler, repository):
            return None
        folder = self._folder(repository, unquote(revision))
        if folder is None:
            return _refuse(handler, 404, "RevisionNotFound", "Invalid rev id")
        there = {one["path"]: one for one in self._tree(folder)}
        return _json(handler, [there[path] for path in asked.get("paths", []) if path in there])

    def _tree(self, folder: Path) -> list[dict[str, object]]:
        """Return files and folders, the folders first, as a list that is not in the order of the paths."""
        files = _files(folder)
        parents = sorted({str(parent) for name in files for parent in list(Path(name).parents)[:-1]})
        entries = [
            {"type": "directory", "oid": hashlib.sha1(name.encode()).hexdigest(), "path": name} for name in parents
        ]
        return [*entries, *(self._entry(name, path) for name, path in files.items())]

    def _api(self, handler: Handler, repository: str, what: str, revision: str | None, below: str | None) -> None:
        if self._refused(handler, repository):
            return None
        folder = self._folder(repository, unquote(revision or "main"))
        if folder is None:
            return _refuse(handler, 404, "RevisionNotFound", "Invalid rev id")
        files = _files(folder)
        if what == "tree":
            return self._list(handler, folder, unquote(below or ""))
        return _json(
            handler,
            {
                **{
                    "id": repository,
                    "modelId": repository,
                    "sha": self._commit_of(folder),
                    "private": self.uploads.private.get(repository, False),
                },
                **{"tags": ["license:mit"], "downloads": 0, "likes": 0},
                "siblings": [{"rfilename": name} for name in files],
            },
        )

    def _list(self, handler: Handler, folder: Path, below: str) -> None:
        prefix = f"{below}/" if below else ""
        found = [one for one in self._tree(folder) if str(one["path"]).startswith(prefix)]
        if below and not found:
            return _refuse(handler, 404, "EntryNotFound", f"{below} does not exist")
        parts = urlsplit(handler.path)
        start = int(parse_qs(parts.query).get("cursor", ["0"])[0])
        end = start + self.page_entries
        more = {"Link": f'<{self.url}{parts.path}?recursive=true&cursor={end}>; rel="next"'} if end < len(found) else {}
        return _json(handler, found[start:end], more)

    def _entry(self, name: str, path: Path) -> dict[str, object]:
        data = path.read_bytes()
        blob = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
        entry: dict[str, object] = {"type": "file", "oid": blob, "size": len(data)}
        entry["path"] = self.tree_names.get(name, name)
        if len(data) > LFS_BYTES:
            entry["lfs"] = {"oid": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 134}
        return entry

    def _content(self, handler: Handler, repository: str, revision: str, name: str) -> None:
        if self._refused(handler, repository):
            return None
        folder = self._folder(repository, revision)
        path = _files(folder).get(name) if folder is not None else None
        if folder is None or path is None:
            return _refuse(handler, 404, "EntryNotFound", "Entry not found")
        return handler.send_file(name, path.read_bytes(), {"X-Repo-Commit": self._commit_of(folder)})


@contextmanager
def hub(root: Path) -> Iterator[Hub]:
    """Serve a folder of repositories for the block."""
    site = Hub(root)
    with serving(site):
        yield site


def _files(folder: Path) -> dict[str, Path]:
    return {str(path.relative_to(folder)): path for path in sorted(folder.rglob("*")) if path.is_file()}


def _json(handler: Handler, value: object, headers: dict[str, str] | None = None) -> None:
    handler.reply(200, json.dumps(value).encode(), {"Content-Type": "application/json", **(headers or {})})


def _refuse(handler: Handler, status: int, code: str, message: str) -> None:
    headers = {"Content-Type": "application/json", "X-Error-Message": message} | (
        {"X-Error-Code": code} if code else {}
    )
    handler.reply(status, json.dumps({"error": message}).encode(), headers)
