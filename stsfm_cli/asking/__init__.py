"""A prompt in, one command out: what is asked for, as a typed spec, and what it takes to do it.

prompt → reading/ → resolve.py, by rules.py; on demand llm/ → spec.py → command.py → plan.py
"""
