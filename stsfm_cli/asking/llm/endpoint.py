"""A language model behind any OpenAI-compatible endpoint: messages go out, one text comes back.

    POST {STSFM_LLM_URL}/chat/completions     model: STSFM_LLM_MODEL, key: STSFM_LLM_KEY, if any

It is off unless the URL is set and a command asks for it. A connection is made to the host of that
URL and to no other: there are no redirects and no proxies; anything but this machine is spoken to
by https. Whatever the other side does, costs one line and at most `seconds`: an answer that is
late, large, refused, cut off, or no text, is Unanswered. The key stands in the header of the
request and nowhere else: not in what is printed, kept or raised.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Timer
from typing import Any, Self
from urllib.parse import urlsplit

from stsfm.mistakes import Mistake

URL, MODEL, KEY = "STSFM_LLM_URL", "STSFM_LLM_MODEL", "STSFM_LLM_KEY"
HERE = ("localhost", "127.0.0.1", "::1")  # this machine, which may be spoken to in the clear
SECONDS = 60.0  # until an answer is whole
LARGEST = 1_000_000  # bytes of an answer
HIDDEN = "[key]"  # stands where an answer repeats the key

Messages = Sequence[Mapping[str, str]]


class Unanswered(Exception):
    """There is no answer that can be used; says why, in a line."""


@dataclass(frozen=True)
class Endpoint:
    """Where a model is asked, and which."""

    url: str  # without /chat/completions
    model: str
    key: str = field(default="", repr=False)
    seconds: float = SECONDS

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Mistake(f"{URL}: wanted http://HOST/v1 or https://HOST/v1")
        if parts.username is not None or parts.query or parts.fragment:
            raise Mistake(f"{URL}: wanted an address without user, query or #; a key is {KEY}")
        if parts.scheme == "http" and parts.hostname not in HERE:
            raise Mistake(f"{URL}: {parts.hostname} is another machine, and is asked by https only")
        if not _plain(parts.path) or not _port(self.url):
            raise Mistake(f"{URL}: wanted an address such as https://HOST:443/v1")
        if not self.model or not self.model.isprintable():
            raise Mistake(f"{MODEL} names no model: say which one is to be asked")
        if not _plain(self.key):
            raise Mistake(f"{KEY}: wanted printable letters and no blanks (it is not shown here)")

    @classmethod
    def of(cls, environ: Mapping[str, str] = os.environ) -> Self | None:
        """As the environment says; None where it names no URL."""
        if not (url := environ.get(URL, "").strip()):
            return None
        model, key = (environ.get(name, "").strip() for name in (MODEL, KEY))
        return cls(url.rstrip("/"), model, key)

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc

    def answer(self, request: Mapping[str, Any]) -> str:
        """The text that a model answers to the body of a request. Unanswered says why not."""
        try:
            raw = self._posted(json.dumps({**request, "model": self.model}).encode())
        except Unanswered:
            raise
        except TimeoutError:
            raise Unanswered(f"{self.host} did not answer in {self.seconds:g} s") from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            # by its kind alone: what it says may hold a header
            raise Unanswered(f"{self.host} can't be asked ({type(error).__name__})") from None
        text = _text(raw)
        return text.replace(self.key, HIDDEN) if self.key else text

    def _posted(self, body: bytes) -> bytes:
        """What is sent back, whole."""
        parts = urlsplit(self.url)
        kinds = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}
        host, made = str(parts.hostname), kinds[parts.scheme]
        connection = made(host, parts.port, timeout=self.seconds)
        headers = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
        headers |= {"Authorization": f"Bearer {self.key}"} if self.key else {}
        try:
            connection.connect()
            with _ended_after(self.seconds, connection.sock):
                connection.request("POST", f"{parts.path}/chat/completions", body, headers)
                response = connection.getresponse()
                if response.status != http.client.OK:
                    raise Unanswered(f"{self.host} answered with HTTP {response.status}")
                raw = response.read(LARGEST + 1)
        finally:
            connection.close()
        if len(raw) > LARGEST:
            raise Unanswered(f"{self.host} answered with more than {LARGEST:,} bytes")
        if response.length:  # that were said to come, and did not
            raise Unanswered(f"{self.host} broke off")
        return raw


def parsed(text: str | bytes) -> Any:
    """JSON as it stands: every key once, no NaN. ValueError for anything else."""
    try:
        return json.loads(text, object_pairs_hook=_once, parse_constant=_no_number)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _text(raw: bytes) -> str:
    """The one text of an answer in the format of chat completions."""
    try:
        choices = parsed(raw)["choices"]
        choice = choices[0]
        message = choice["message"]
        text, called = message.get("content"), message.get("tool_calls")
        called = called or message.get("function_call")
        refused, ended = message.get("refusal"), choice.get("finish_reason")
    except (ValueError, LookupError, TypeError, AttributeError):
        raise Unanswered("the answer is no chat completion") from None
    if called:
        raise Unanswered("the answer calls a tool, and there is none")
    if refused or ended == "content_filter":
        raise Unanswered("the model refused")
    if ended == "length":
        raise Unanswered("the answer was cut off")
    if not isinstance(text, str) or not text.strip():
        raise Unanswered("the answer has no text")
    return text


@contextmanager
def _ended_after(seconds: float, sock: socket.socket) -> Iterator[None]:
    """A socket is shut when the time is up: a timeout of its own counts anew with every byte."""
    late = []

    def end() -> None:
        late.append(True)
        try:
            sock.shutdown(socket.SHUT_RDWR)
        except OSError:  # it was closed meanwhile
            return

    timer = Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    except (OSError, http.client.HTTPException, ValueError):
        if late:
            raise TimeoutError from None
        raise
    finally:
        timer.cancel()
    if late:  # what was read until then may look whole
        raise TimeoutError


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a key stands twice")
    return dict(pairs)


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no number")


def _plain(text: str) -> bool:
    """Printable ASCII without blanks: what a header or the first line of a request may hold."""
    return all("!" <= letter <= "~" for letter in text)


def _port(url: str) -> bool:
    try:
        return urlsplit(url).port != 0
    except ValueError:
        return False
