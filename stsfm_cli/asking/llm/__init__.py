"""A language model, where one is asked for: it chooses among names, or rewords; code checks it."""
