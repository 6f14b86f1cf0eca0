"""What every target must do. A subclass offers one place and says how to spoil it; the cases run unchanged."""

from __future__ import annotations

import threading
from abc import abstractmethod
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.manifest import Statement
from ipfs_accel_cli.content.passport import CAR, Passport
from ipfs_accel_cli.core import retry
from ipfs_accel_cli.core.call import Call, using
from ipfs_accel_cli.core.errors import AccelError, NotAuthorised, Offline, TryAgain, Unavailable, VerificationFailed
from ipfs_accel_cli.services.model.push_results import Pushed
from ipfs_accel_cli.services.model.register import KIND_STATEMENT
from ipfs_accel_cli.services.model.tables import add_statement
from tests.servers.tiny_model import lay_out, tiny_model

SIZE_BYTES = sum(map(len, tiny_model().values()))


class TargetSuite:
    """The fixture `offer` must return an empty place as an `Offer`."""

    @pytest.fixture(autouse=True)
    def tiny(self, node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(retry, "FIRST_WAIT_SECONDS", 0.01)
        node.models.add(lay_out(tmp_path / "tiny", tiny_model()))

    def test_what_is_pushed_is_the_same_model_when_it_is_pulled_elsewhere(
        self, offer: Offer, node: Node, tmp_path: Path
    ) -> None:
        pushed = push(node, offer)

        assert (pushed.verified, pushed.unchanged, pushed.files) == (True, False, len(tiny_model()))
        assert pushed.sent_bytes == pushed.size_bytes > SIZE_BYTES
        with Node(tmp_path / "elsewhere") as other:
            for reference in (pushed.reference, offer.place):
                pulled = other.models.pull(reference, "back")
                assert pulled.manifest_cid == node.models.show("tiny").manifest_cid
            assert other.models.show("back").licence == "apache-2.0"

    def test_pushing_again_sends_nothing_and_says_so(self, offer: Offer, node: Node) -> None:
        first = push(node, offer)
        before = offer.traffic_bytes()
        again = push(node, offer)

        assert (again.unchanged, again.sent_bytes, again.present_bytes) == (True, 0, first.size_bytes)
        assert (again.revision, again.reference, again.replaced) == (first.revision, first.reference, None)
        assert offer.traffic_bytes() == before

    def test_a_dry_run_tells_the_bytes_and_changes_nothing(self, offer: Offer, node: Node) -> None:
        planned = push(node, offer, dry_run=True)

        assert (planned.dry_run, planned.verified, planned.unchanged) == (True, False, False)
        assert not offer.paths()
        assert planned.sent_bytes == push(node, offer).sent_bytes
        assert push(node, offer, dry_run=True).sent_bytes == 0

    def test_a_push_that_broke_off_goes_on(self, offer: Offer, node: Node) -> None:
        with offer.breaking(), pytest.raises((TryAgain, Unavailable)):
            push(node, offer)
        before = offer.traffic_bytes()
        pushed = push(node, offer)

        assert pushed.verified
        assert offer.traffic_bytes() - before < pushed.size_bytes
        assert set(tiny_model()) < offer.paths()

    def test_two_pushes_at_once_end_well(self, offer: Offer, node: Node, tmp_path: Path) -> None:
        with Node(tmp_path / "second") as other:
            other.models.add(tmp_path / "tiny")
            ended: list[Pushed | AccelError] = []

            def run(one: Node) -> None:
                try:
                    ended.append(push(one, offer))
                except AccelError as error:
                    ended.append(error)

            threads = [threading.Thread(target=run, args=(one,)) for one in (node, other)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert all(isinstance(one, Pushed) and one.verified for one in ended), ended
        assert set(tiny_model()) < offer.paths()

    def test_a_file_that_is_damaged_here_is_not_handed_on(self, offer: Offer, node: Node, tmp_path: Path) -> None:
        digest = next(file.sha256 for file in node.models.show("tiny").files if file.path == "model.safetensors")
        stored = next(iter(node.home.objects.rglob(digest)))
        stored.chmod(0o644)
        stored.write_bytes(bytes(stored.stat().st_size))

        with pytest.raises(VerificationFailed, match=r"model\.safetensors is damaged") as raised:
            push(node, offer)

        assert raised.value.suggestion == "ipfs-accel model repair tiny@1"
        assert "model.safetensors" not in offer.paths()

    def test_what_others_said_stays_with_the_model(self, offer: Offer, node: Node, tmp_path: Path) -> None:
        with Node(tmp_path / "second") as other:
            other.models.add(tmp_path / "tiny")
            theirs = say(other, "signature", {"by": "another"})
            push(other, offer)
        ours = say(node, "evaluation", {"accuracy": 1})

        assert push(node, offer).statements == 4
        with Node(tmp_path / "third") as third:
            third.models.pull(offer.place, "back")
            assert {theirs, ours} <= {one.cid for one in third.models.show("back").statements}

    def test_where_a_model_lay_on_this_machine_does_not_travel(self, offer: Offer, node: Node) -> None:
        push(node, offer)

        passport = Passport.decode(offer.content(CAR))
        assert {one.kind for one in passport.statements} == {"facts", "licence"}
        assert str(node.home.path).encode() not in offer.content(CAR)


class ServedTargetSuite(TargetSuite):
    """What a target must also do that sends over the network."""

    def test_a_login_that_is_refused_is_told(self, offer: ServedOffer, node: Node) -> None:
        offer.refuse_logins()

        with pytest.raises(NotAuthorised) as raised:
            push(node, offer)
        assert raised.value.exit_code == 7
        assert raised.value.suggestion == offer.login

    def test_a_place_that_may_only_be_read_is_told(self, offer: ServedOffer, node: Node) -> None:
        offer.refuse_writes()

        with pytest.raises(NotAuthorised, match="does not let") as raised:
            push(node, offer)
        assert raised.value.suggestion == offer.login
        assert not offer.paths()

    def test_a_server_that_is_down_is_unavailable(self, offer: ServedOffer, node: Node) -> None:
        with offer.down() as place, pytest.raises(AccelError) as raised:
            node.models.pushes.push("tiny", place, create=offer.create)
        assert raised.value.exit_code == 6

    @pytest.mark.parametrize("status", [429, 503])
    def test_a_server_that_is_busy_is_worth_another_try(self, offer: ServedOffer, node: Node, status: int) -> None:
        with offer.failing(status), pytest.raises(TryAgain):
            push(node, offer)
        assert push(node, offer).verified

    def test_what_did_not_arrive_is_no_success(self, offer: ServedOffer, node: Node) -> None:
        offer.lose()

        with pytest.raises(VerificationFailed, match="does not list"):
            push(node, offer)

    def test_the_next_version_sends_what_is_new_alone(self, offer: ServedOffer, node: Node, tmp_path: Path) -> None:
        first = push(node, offer)
        files = tiny_model(1) | {"added.json": b"{}"}
        del files["sentence_bert_config.json"]
        node.models.add(lay_out(tmp_path / "next", files), "tiny")
        second = push(node, offer)

        assert second.replaced == first.revision
        assert second.present_bytes >= sum(len(files[path]) for path in ("README.md", "tokenizer.json"))
        assert "sentence_bert_config.json" not in offer.paths()
        with Node(tmp_path / "elsewhere") as other:
            assert other.models.pull(offer.place, "back").manifest_cid == second.manifest_cid
            assert other.models.pull(first.reference, "before").manifest_cid == first.manifest_cid

    def test_only_the_owner_pushes_and_only_over_a_network(self, offer: ServedOffer, node: Node) -> None:
        with using(Call(folders=())), pytest.raises(NotAuthorised, match="owner"):
            push(node, offer)
        with using(Call(offline=True)), pytest.raises(Offline):
            push(node, offer)


class Offer:
    """An empty place."""

    place: str
    create = False

    @abstractmethod
    def paths(self) -> set[str]:
        """Return the files that the place names."""

    @abstractmethod
    def content(self, path: str) -> bytes:
        """Return a file that lies there."""

    @abstractmethod
    def traffic_bytes(self) -> int:
        """Return the bytes of large files that came there so far."""

    @abstractmethod
    def breaking(self) -> AbstractContextManager[object]:
        """Let a push end in the middle of the weights."""


class ServedOffer(Offer):
    login: str

    @abstractmethod
    def refuse_logins(self) -> None: ...

    @abstractmethod
    def refuse_writes(self) -> None: ...

    @abstractmethod
    def down(self) -> AbstractContextManager[str]:
        """Give a place of a server that does not answer."""

    @abstractmethod
    def failing(self, status: int) -> AbstractContextManager[object]: ...

    @abstractmethod
    def lose(self) -> None:
        """Let the server say that it keeps what comes, and keep nothing."""


def push(node: Node, offer: Offer, *, dry_run: bool = False) -> Pushed:
    return node.models.pushes.push("tiny", offer.place, create=offer.create, dry_run=dry_run)


def say(node: Node, kind: str, body: dict[str, object]) -> str:
    """Add a statement about the model as any later command may; return its CID."""
    manifest = CID.parse(node.models.show("tiny").manifest_cid)
    statement = Statement(manifest, kind, body)
    from ipfs_accel_cli.services.model.content import Root

    with node.store.session() as session:
        session.block(statement.cid, statement.encode())
        root = Root(statement.cid, "model", str(manifest), KIND_STATEMENT)
        session.commit([root], lambda connection: add_statement(connection, manifest, kind, statement.cid))
    return str(statement.cid)
