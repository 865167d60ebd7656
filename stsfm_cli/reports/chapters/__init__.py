"""The chapters of reports, each from a record or from tables, in words whose numbers are facts."""
