"""ipfshttpclient for the small calls that it has in common with today's nodes, over a line of ours.

The library makes the requests and reads the answers; what carries them is a `Line`, which keeps callers other than the
owner to the public internet and knows what an error means. Its `connect()` is not used, which refuses newer nodes, nor
are its calls for content, which hold whole files in memory.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from ipfs_accel_cli.backends.ipfs.line import MAX_ANSWER_BYTES, Line
from ipfs_accel_cli.core.bodies import joined
from ipfs_accel_cli.core.errors import Unavailable

_BASE = "/api/v0/"
_SILENT = ("files/cp", "files/mkdir", "files/rm")


def library(line: Line) -> Any:
    """Return an `ipfshttpclient.Client` whose requests go over a line; raises ImportError where it is not installed."""
    import requests
    from ipfshttpclient import Client
    from requests.adapters import BaseAdapter

    class Carrier(BaseAdapter):
        def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
            answer: requests.Response = _carried(line, request)
            return answer

        def close(self) -> None: ...

    session = requests.Session()
    session.trust_env = False  # Proxies and passwords are the line's to know.
    session.mount("http://", Carrier())
    made = Client("/dns/localhost/tcp/5001/http")  # Whose path alone is used.
    made._client._session = session  # Its own would hand `strict` to urllib3, which does not know it any more.
    return made


def _carried(line: Line, request: Any) -> Any:
    import requests

    parts = urlsplit(request.url)
    call = parts.path.removeprefix(_BASE)
    headers = {name: value for name, value in request.headers.items() if name.lower() == "content-type"}
    body: Iterable[bytes] | bytes | None = request.body
    with line.answer(call, parse_qsl(parts.query), content=body, headers=headers, slow=True) as answer:
        data = joined(answer.iter_raw(), MAX_ANSWER_BYTES)
        if len(data) > MAX_ANSWER_BYTES:
            raise Unavailable(f"{line.server.name}: {call} answers with more than {MAX_ANSWER_BYTES} bytes")
        response = requests.Response()
        response.status_code = answer.status_code
        response.headers.update(answer.headers)
    if call not in _SILENT and len(list(line.told(call, [data]))) != 1:
        raise Unavailable(f"{line.server.name}: {call} is not answered with one object")
    response.raw, response.url, response.request = io.BytesIO(data), request.url, request
    return response
