"""The server process."""

import uvicorn

from pipeline.study.web.app import create
from pipeline.study.web.context import Served


def run(served: Served, host: str, port: int) -> None:
    """Serve a study until the process is stopped.

    Requests are not logged: the address of a page is the rater's secret.
    """
    uvicorn.run(create(served), host=host, port=port, log_level="warning", access_log=False, server_header=False)
