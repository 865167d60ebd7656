"""Imported by the server of processes alone: at its end it is gone at once.

It holds libraries and no work, and to take them apart one by one would last seconds.
"""

import atexit
import os

atexit.register(os._exit, 0)
