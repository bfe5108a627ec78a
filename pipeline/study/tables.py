"""The tables of a study's database, on SQLite or PostgreSQL. Times are seconds since 1970, UTC."""

from pathlib import Path

from sqlalchemy import (
    JSON,
    URL,
    Column,
    Connection,
    Engine,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    MetaData,
    String,
    Table,
    create_engine,
    event,
    func,
    make_url,
    select,
)
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from pipeline.study.design import StudyError

WRITES = "writes"  # execution option of transactions that write
_WAIT = 30  # seconds that a transaction waits for another

_LOCK = 0x5EE1  # what PostgreSQL calls our lock: any number that nobody else takes
_EXPECTED = "--database: expected a URL such as sqlite:///votes.db or postgresql://host/name"

schema = MetaData()

study = Table(
    "study",
    schema,
    Column("id", Integer, primary_key=True),  # always 1: a database holds one study
    Column("design", JSON, nullable=False),
    Column("contents", JSON, nullable=False),  # digest of each clip
    Column("items", JSON, nullable=False),  # in their order: id, prompt, caption, parts
    Column("seed", String, nullable=False),
    Column("key", String, nullable=False),  # what form tokens and the organiser's secret are made with
    Column("started", Float, nullable=False),
    Column("ended", Float),
)
rater = Table(
    "rater",
    schema,
    Column("id", String, primary_key=True),
    Column("link", String, nullable=False, unique=True),  # sha256 of the secret part of the link
    Column("number", Integer, unique=True),  # which trials they see; none before they agree to take part
    Column("made", Float, nullable=False),
    Column("agreed", Float),
    Column("profession", String),
    Column("years", Integer),
    Column("finished", Float),
)
trial = Table(
    "trial",
    schema,
    Column("rater", ForeignKey("rater.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("kind", String, nullable=False),
    Column("item", JSON, nullable=False),
    Column("methods", JSON, nullable=False),
    Column("repeats", Integer),
    Column("shown", Float),
    Column("revision", Integer, nullable=False, default=0),  # how often its answers were given
)
clip = Table(
    "clip",
    schema,
    Column("id", String, primary_key=True),  # random: what a page calls the clip
    Column("rater", String, nullable=False),
    Column("trial", Integer, nullable=False),
    Column("side", Integer, nullable=False),
    Column("file", String, nullable=False),
    ForeignKeyConstraint(["rater", "trial"], ["trial.rater", "trial.number"], ondelete="CASCADE"),
)
vote = Table(
    "vote",
    schema,
    Column("rater", String, primary_key=True),
    Column("trial", Integer, primary_key=True),
    Column("question", String, primary_key=True),
    Column("answer", String, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("voted", Float, nullable=False),
    ForeignKeyConstraint(["rater", "trial"], ["trial.rater", "trial.number"], ondelete="CASCADE"),
)


def engine(url: str) -> Engine:
    """Connections to a database, whose tables are made if they are missing.

    Raises:
        StudyError: if the URL is of neither SQLite nor PostgreSQL, the driver is not installed, or the database cannot
            be opened.
    """
    parsed = _parsed(url)
    try:
        if parsed.get_backend_name() in ("postgres", "postgresql"):
            made = create_engine(
                parsed.set(drivername="postgresql+psycopg"), pool_size=20, pool_pre_ping=True, hide_parameters=True
            )
        elif parsed.get_backend_name() == "sqlite":
            made = create_engine(parsed, pool_size=20, hide_parameters=True, connect_args={"timeout": _WAIT})
            event.listen(made, "connect", _prepare_sqlite)
            event.listen(made, "begin", _begin_sqlite)
        else:
            raise StudyError(f"--database: found {parsed.get_backend_name()!r}, expected sqlite or postgresql")
    except (ArgumentError, NoSuchModuleError):
        raise StudyError(_EXPECTED) from None
    except ModuleNotFoundError as error:
        raise StudyError(f"--database: PostgreSQL needs {error.name}: pip install 'reelbench[postgres]'") from None
    try:
        _make_tables(made)
    except DBAPIError as error:
        raise StudyError(f"the database cannot be opened: {str(error.orig).strip()}") from None
    return made


def _make_tables(engine: Engine) -> None:
    """Make the tables that are missing; who starts at the same time waits, and finds them made."""
    with engine.connect().execution_options(**{WRITES: True}) as db, db.begin():
        one_at_a_time(db)
        schema.create_all(db)


def one_at_a_time(db: Connection) -> None:
    """Let a transaction that writes wait until no other one is past this point; SQLite's do by themselves."""
    if db.dialect.name == "postgresql":
        db.execute(select(func.pg_advisory_xact_lock(_LOCK)))


def file_of(url: str) -> Path | None:
    """The file of an SQLite database; None of one on a server.

    Raises:
        StudyError: if it is no URL, or one of SQLite without a file: votes in memory would be lost.
    """
    parsed = _parsed(url)
    return Path(parsed.database or "") if parsed.get_backend_name() == "sqlite" else None


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise StudyError(_EXPECTED) from None
    in_memory = not parsed.database or parsed.database.startswith((":memory:", "file:"))
    if parsed.get_backend_name() == "sqlite" and in_memory:
        raise StudyError(f"--database: found {url!r}, expected the name of a file as in sqlite:///votes.db")
    return parsed


def _prepare_sqlite(connection: object, _: object) -> None:
    """A commit is on the disk before it returns, and what is deleted is overwritten."""
    connection.isolation_level = None  # transactions begin where _begin_sqlite says so
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "secure_delete = ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    """Whoever will write waits at the beginning, where waiting cannot fail for what it has read already."""
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get(WRITES) else "BEGIN")
