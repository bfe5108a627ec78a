"""Versions of installed packages, each looked up once: it takes a millisecond, and every clip asks for several."""

import functools
import importlib.metadata

version = functools.cache(importlib.metadata.version)
