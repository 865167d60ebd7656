"""What was asked of a model and what it answered, kept so that the same request is asked once.

runs/_asks/<prompt>/exchanges/<request>.json   the digest of the request, the model, the messages,
                                               the answer

An answer that is kept is given again without the network, and judged again as if it were new: a
file that was changed can say no more than a model can. What failed is not kept.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stsfm.asking.llm.endpoint import Endpoint, Messages, Unanswered
from stsfm.files import write

FOLDER = "exchanges"
SHORT = 16  # letters of a digest in the name of a file


@dataclass
class Exchanges:
    """Answers of a model, looked for in all that was asked in a place before.

    home      folder of the folders of prompts
    endpoint  None: only what is kept is given again
    """

    home: Path
    endpoint: Endpoint | None
    model: str = ""  # that gave the last answer
    seen: dict[str, str] = field(default_factory=dict)  # name of a file → what is to be in it

    def answer(self, messages: Messages, schema: Mapping[str, Any]) -> str:
        """The text that answers messages, at best in the form of a schema. Unanswered: none."""
        shape = {"name": "answer", "schema": schema}
        request = {"messages": list(messages), "temperature": 0, "n": 1,
                   "response_format": {"type": "json_schema", "json_schema": shape}}  # fmt: skip
        digest = _digest(request)
        if (kept := self._kept(digest)) is not None:
            return kept
        if self.endpoint is None:
            raise Unanswered(f"no answer to this is kept in {self.home}")
        text, self.model = self.endpoint.answer(request), self.endpoint.model
        told = {"request": digest, "model": self.endpoint.model, "messages": list(messages),
                "answer": text}  # fmt: skip
        name = f"{digest[:SHORT]}-{_digest(self.endpoint.model)[:4]}.json"
        self.seen[name] = json.dumps(told, indent=1, ensure_ascii=False) + "\n"
        return text

    def keep(self, folder: Path) -> None:
        """Write what was said so far beside the prompt that it was said for."""
        for name, text in self.seen.items():
            write(folder / FOLDER / name, text)

    def _kept(self, digest: str) -> str | None:
        """What the model, without an endpoint any model, answered to a request before."""
        for file in sorted(self.home.glob(f"*/{FOLDER}/{digest[:SHORT]}-*.json")):
            try:
                text = file.read_text()
                told = json.loads(text)
                answer, model = told["answer"], told["model"]
                mine = told["request"] == digest and isinstance(answer, str) and _plain(model)
                if mine and (self.endpoint is None or model == self.endpoint.model):
                    self.seen[file.name], self.model = text, model
                    return str(answer)
            except (OSError, ValueError, TypeError, LookupError, RecursionError):
                continue
        return None


def _plain(name: Any) -> bool:
    return isinstance(name, str) and name.isprintable()


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
