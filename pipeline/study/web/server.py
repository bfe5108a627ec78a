"""The server process."""

import socket

import uvicorn

from pipeline.study.design import StudyError
from pipeline.study.web.app import create
from pipeline.study.web.context import Served


def listen(host: str, port: int) -> socket.socket:
    """Take a port.

    Raises:
        StudyError: if it cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise StudyError(f"--host, --port: {host}:{port} cannot be used: {error.strerror}") from None


def run(served: Served, at: socket.socket) -> None:
    """Serve a study until the process is stopped.

    Requests are not logged: the address of a page is the rater's secret.
    """
    config = uvicorn.Config(create(served), log_level="warning", access_log=False, server_header=False)
    uvicorn.Server(config).run(sockets=[at])
