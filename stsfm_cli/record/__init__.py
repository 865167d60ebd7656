"""Run folders: who writes in one, what is kept in it, and which of many are meant."""

from stsfm.record.folder import CHECKPOINT, SCHEMA, Record, State, rank, records, seal

__all__ = ["CHECKPOINT", "SCHEMA", "Record", "State", "rank", "records", "seal"]
