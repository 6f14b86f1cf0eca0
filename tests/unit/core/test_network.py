"""No socket is opened for a call that is offline, whatever other calls of the process may do."""

from __future__ import annotations

import socket

import pytest

from ipfs_accel_cli.core import network
from ipfs_accel_cli.core.call import Call, using
from ipfs_accel_cli.core.errors import Offline


def test_one_call_is_offline_while_another_is_not() -> None:
    network.watch()
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = server.getsockname()
        with using(Call(offline=True)), pytest.raises(Offline):
            socket.create_connection(address)
        with using(Call()):
            socket.create_connection(address).close()
