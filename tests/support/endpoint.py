"""An endpoint of somebody's that SNS posts to: keeps what comes, and answers as it is told."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Condition, Thread
from types import TracebackType
from typing import Any

PATIENCE = 20.0


class Endpoint:
    """A context manager; `posts` are (headers, body) as they came."""

    def __init__(self) -> None:
        self.posts: list[tuple[dict[str, str], Any]] = []
        self.status = 200
        self._news = Condition()
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                with endpoint._news:
                    status = endpoint.status
                    endpoint.posts.append(({k.lower(): v for k, v in self.headers.items()}, _read(body)))
                    endpoint._news.notify_all()
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/sns"

    def __enter__(self) -> Endpoint:
        self._thread.start()
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def waits_for(self, count: int) -> list[Any]:
        """Return the bodies once so many have come."""
        with self._news:
            has_come = self._news.wait_for(lambda: len(self.posts) >= count, PATIENCE)
            assert has_come, f"{len(self.posts)} posts came, not {count}"
            return [body for _, body in self.posts]


def _read(body: str) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body
