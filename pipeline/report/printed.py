"""What papers print, as data beside the page that shows it."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml


@cache
def published(page: str) -> dict[str, Any]:
    """The values in the YAML file beside a page's file."""
    return yaml.safe_load(Path(page).with_suffix(".yaml").read_text(encoding="utf-8"))
