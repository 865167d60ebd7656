"""Figures of what space has to do with errors: maps, degrees, nodes by steps, fields."""
