"""Reading a prompt: its words, the names that they mean, and what its numbers count."""
