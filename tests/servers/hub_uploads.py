"""What a hub does with uploads: which files go to its large-file storage, the storage itself, and commits."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shutil
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from tests.servers.serving import Handler

if TYPE_CHECKING:
    from tests.servers.hub import Hub

LFS_BYTES = 4096  # Larger files are kept by their sha-256, smaller ones by their git blob id.


def named(kind: str, name: str) -> str:
    """Return what a repository is called here: ORG/NAME, after `datasets/` or `spaces/` where it is not a model's."""
    return name if kind == "model" else f"{kind}s/{name}"


class Uploads:
    """`stored` is the large-file storage, `put_bytes` counts what was sent to it.

    `loses` forgets the changes of a commit, `read_only` allows none, `busy_commits` so often says that the hub is busy,
    and `meanwhile` is run once before the next one. `lost_answers` commits are made without telling so, and `commits`
    holds what each one changed.
    """

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self.stored: dict[str, bytes] = {}
        self.put_bytes = 0
        self.loses = False
        self.busy_commits = self.lost_answers = 0
        self.commits: list[list[str]] = []
        self.read_only = False
        self.private: dict[str, bool] = {}
        self.meanwhile: Any = None
        self.changing = threading.RLock()  # A commit is there as a whole or not at all.

    def answer(self, handler: Handler, path: str, body: bytes) -> bool:
        """Answer a request that has to do with uploads; say whether it had."""
        if path == "/api/repos/create":
            asked = json.loads(body)
            name = named(asked.get("type") or "model", f"{asked.get('organization') or 'me'}/{asked['name']}")
            if self.read_only:
                return _json(handler, {"error": "no"}, 403)
            self.private[name] = asked.get("private") or asked.get("visibility") == "private"
            folder = self._hub.root / name
            with self.changing:
                folder.mkdir(parents=True, exist_ok=True)
                (folder / ".gitattributes").write_text("*.safetensors filter=lfs\n")
            return _json(handler, {"url": f"{self._hub.url}/{name}", "name": name})
        if path == "/api/validate-yaml":
            return _json(handler, {"errors": [], "warnings": []})
        if match := re.fullmatch(r"/lfs/([0-9a-f]{64})", path):
            return self._put(handler, match[1], body)
        if path == "/lfs-verify":
            return _json(handler, {}, 200 if json.loads(body)["oid"] in self.stored else 404)
        if path.endswith(".git/info/lfs/objects/batch"):
            objects = [self._action(one) for one in json.loads(body)["objects"]]
            return _json(handler, {"transfer": "basic", "objects": objects})
        if match := re.fullmatch(r"/api/(model|dataset|space)s/([^/]+/[^/]+)/(preupload|commit|branch)/(.+)", path):
            return self._change(handler, named(match[1], match[2]), match[3], unquote(match[4]), body)
        return False

    def _action(self, one: dict[str, Any]) -> dict[str, Any]:
        if one["oid"] in self.stored:
            return one
        actions = {"upload": {"href": f"{self._hub.url}/lfs/{one['oid']}"}}
        return one | {"actions": actions | {"verify": {"href": f"{self._hub.url}/lfs-verify"}}}

    def _put(self, handler: Handler, oid: str, body: bytes) -> bool:
        if hashlib.sha256(body).hexdigest() != oid:
            return _json(handler, {"error": "another digest"}, 422)
        self.stored[oid] = body
        self.put_bytes += len(body)
        return _json(handler, {})

    def _change(self, handler: Handler, repository: str, what: str, branch: str, body: bytes) -> bool:
        folder = self._hub.root / repository
        if not folder.is_dir():
            return _json(handler, {"error": "Repository not found"}, 404, {"X-Error-Code": "RepoNotFound"})
        if self.read_only:
            return _json(handler, {"error": "no"}, 403)
        if what == "branch":
            self._hub.add_branch(repository, branch)
            return _json(handler, {})
        if what == "preupload":
            files = [
                {"path": one["path"], "uploadMode": "lfs" if one["size"] > LFS_BYTES else "regular"}
                for one in json.loads(body)["files"]
            ]
            return _json(handler, {"files": [one | {"shouldIgnore": False} for one in files]})
        if self.busy_commits:
            self.busy_commits -= 1
            return _json(handler, {"error": "busy"}, 503)
        if self.meanwhile is not None:
            self.meanwhile, run = None, self.meanwhile
            run()
        with self.changing:
            return self._commit(handler, repository, branch, body)

    def _commit(self, handler: Handler, repository: str, branch: str, body: bytes) -> bool:
        lines = [json.loads(line) for line in body.splitlines()]
        parent = lines[0]["value"].get("parentCommit")
        if parent is not None and parent != self._hub.commit(repository, branch):
            return _json(handler, {"error": "A commit has happened since"}, 412)
        self.commits.append([line["value"]["path"] for line in lines[1:]])
        self._hub.keep(repository, branch)
        if not self.loses:
            for line in lines[1:]:
                self._apply(self._hub.branch(repository, branch), line["key"], line["value"])
        commit = self._hub.commit(repository, branch)
        if self.lost_answers:
            self.lost_answers -= 1
            return _json(handler, {"error": "no answer in time"}, 504)
        return _json(
            handler,
            {"success": True, "commitOid": commit, "commitUrl": f"{self._hub.url}/{repository}/commit/{commit}"},
        )

    def _apply(self, folder: Path, key: str, value: dict[str, Any]) -> None:
        target = folder / value["path"]
        assert target.resolve().is_relative_to(folder.resolve())
        target.parent.mkdir(parents=True, exist_ok=True)
        if key == "file":
            _write(target, base64.b64decode(value["content"]))
        elif key == "lfsFile":
            _write(target, self.stored[value["oid"]])
        elif key == "deletedFile":
            target.unlink()
        elif key == "deletedFolder":
            shutil.rmtree(target)


def _json(handler: Handler, value: object, status: int = 200, headers: dict[str, str] | None = None) -> bool:
    handler.reply(status, json.dumps(value).encode(), {"Content-Type": "application/json", **(headers or {})})
    return True


def _write(target: Path, data: bytes) -> None:
    """Write a file at once, as a hub's commit does: nobody reads half of it."""
    aside = target.with_name(f".{target.name}.{os.urandom(4).hex()}")
    aside.write_bytes(data)
    os.replace(aside, target)
