"""A PostgreSQL server for tests: the one that REELBENCH_TEST_POSTGRES names, or a cluster of our own that is thrown
away."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

VARIABLE = "REELBENCH_TEST_POSTGRES"
MISSING = f"no PostgreSQL: neither {VARIABLE} nor initdb and pg_ctl (Debian: postgresql)"


@contextmanager
def server() -> Iterator[str | None]:
    """The URL of a server on which databases may be made; None where there is none."""
    if VARIABLE in os.environ:
        yield os.environ[VARIABLE]
    elif _program("initdb") is None or _program("pg_ctl") is None:
        yield None
    else:
        with _cluster() as url:
            yield url


@contextmanager
def _cluster() -> Iterator[str]:
    user = _user()
    folder = Path(tempfile.mkdtemp(prefix="reelbench-postgres-"))
    if user:
        os.chown(folder, user.pw_uid, user.pw_gid)
    data, log = folder / "data", folder / "log"
    options = f"-k {folder} -c listen_addresses= -c max_connections=60"
    try:
        _run(user, "initdb", "-D", data, "-U", "tests", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C")
        _run(user, "pg_ctl", "-D", data, "-l", log, "-o", options, "-w", "start")
        yield f"postgresql://tests@/postgres?host={folder}"
    finally:
        _run(user, "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def _user() -> pwd.struct_passwd | None:
    """Whom the server runs as: PostgreSQL refuses root."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def _program(name: str) -> str | None:
    """On the path, or where Debian puts it."""
    return shutil.which(name) or next(map(str, sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))), None)


def _run(user: pwd.struct_passwd | None, name: str, *arguments: object) -> None:
    identity = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
    command = [_program(name), *map(str, arguments)]
    subprocess.run(command, check=True, cwd="/", stdout=subprocess.DEVNULL, **identity)
