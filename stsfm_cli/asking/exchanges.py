"""What was asked of a model and what it answered, kept so that the same request is asked once.

exchanges/<request>.json   the digest of the request, the model, the messages, the answer

An answer that is kept is given again without the network, and judged again as if it were new: a
file that was changed can say no more than a model can. What failed is not kept.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stsfm.asking.endpoint import Endpoint, Messages, Unanswered
from stsfm.files import write

FOLDER = "exchanges"
SHORT = 16  # letters of a digest in the name of a file


@dataclass(frozen=True)
class Exchanges:
    """Answers of a model, kept in the folder of what was asked.

    endpoint  None: only what is kept is given again
    """

    folder: Path
    endpoint: Endpoint | None

    @property
    def model(self) -> str:
        return self.endpoint.model if self.endpoint else "the model of the record"

    def answer(self, messages: Messages, schema: Mapping[str, Any]) -> str:
        """The text that answers messages, at best in the form of a schema. Unanswered: none."""
        shape = {"name": "answer", "schema": schema}
        request = {"messages": list(messages), "temperature": 0, "n": 1,
                   "response_format": {"type": "json_schema", "json_schema": shape}}  # fmt: skip
        digest = _digest(request)
        if (kept := self._kept(digest)) is not None:
            return kept
        if self.endpoint is None:
            raise Unanswered(f"nothing that was answered before is kept in {self.folder.name}")
        text = self.endpoint.answer(request)
        told = {"request": digest, "model": self.endpoint.model, "messages": list(messages),
                "answer": text}  # fmt: skip
        kept_at = self.folder / FOLDER / f"{digest[:SHORT]}-{_digest(self.endpoint.model)[:4]}.json"
        write(kept_at, json.dumps(told, indent=1, ensure_ascii=False) + "\n")
        return text

    def _kept(self, digest: str) -> str | None:
        """What the model, without an endpoint any model, answered to a request before."""
        for file in sorted((self.folder / FOLDER).glob(f"{digest[:SHORT]}-*.json")):
            try:
                told = json.loads(file.read_text())
                mine = told["request"] == digest and isinstance(told["answer"], str)
                if mine and (self.endpoint is None or told["model"] == self.endpoint.model):
                    return str(told["answer"])
            except (OSError, ValueError, TypeError, LookupError, RecursionError):
                continue
        return None


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
