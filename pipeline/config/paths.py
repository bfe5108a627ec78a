"""The files that stages hand to one another. Nothing else in the project spells one of these paths."""

from pathlib import Path

from metrics.networks.places import I3D as I3D

ROOT = Path(__file__).parents[2]  # of this checkout, for commands that are called from anywhere
PARAMS = Path("params.yaml")
DAG = Path("dvc.yaml")
LOCK = Path("dvc.lock")
OF_A_RUN = (PARAMS, DAG, LOCK)  # files that the run of a profile has of its own
PROMPT_SETS = Path("prompts")
PROFILES = Path("profiles")
STUDIES = Path("studies")
RUNS = Path("runs")  # a folder for each run of a profile; not in git
MODELS = Path("models")
MINILM = MODELS / "public/minilm"
WORLD_MODELS = MODELS / "world"
PROMPTS = Path("data/prompts/prompts.csv")
MIXTURES = Path("data/prompts/mixtures.csv")
HISTORY = "history.csv"  # the curves of a training, in its folder
EMBEDDINGS = Path("data/embeddings")
SEARCH = Path("data/search")
CLIPS = Path("data/clips")
SUPERSEDED = CLIPS / ".superseded"  # clips that are set aside
FEATURES = Path("data/features")
RESULTS = Path("data/results")
SWEPT = RESULTS / "sweeps.csv"
TRIALS = RESULTS / "trials.csv"
TRAINING_SEEDS = RESULTS / "training_seeds.csv"
ETC_POINTS = RESULTS / "etc.csv"
ORACLE_TABLE = RESULTS / "richspace_oracle.csv"
ORACLE_STEPS = RESULTS / "richspace_oracle_steps.csv"
CHOICES_TABLE = RESULTS / "richspace_choices.csv"
STUDY = Path("data/study")  # votes of user studies, and their tables
SUMMARY = Path("data/summary")  # in git
REPORTS = Path("reports")
SWEEPS = MODELS / "sweeps"
TRIAL = MODELS / "trials"  # curves of HARIVO's trials, and what was measured of their clips
ETC = MODELS / "etc"  # what was measured of ETC's points
ETC_LARGER = MODELS / "etc_larger"  # clips of ETC's points with more frames or pixels, and what was measured of them
ATTENTION_MAPS = MODELS / "attention_maps/maps.csv"  # of ETC's frames, Figure 11
ATTENTION = MODELS / "attention"  # how long ETC's two kinds of attention took
ATTENTION_TABLE = ATTENTION / "table_3.csv"
ATTENTION_SWEEP = ATTENTION / "figure_10.csv"
MAKE_A_VIDEO = MODELS / "make_a_video"  # what was measured of Make-A-Video's points
CASCADE_POINTS = RESULTS / "make_a_video.csv"
CASCADE_PARTS = MODELS / "cascade_parts"  # what was measured of its networks alone
INTERPOLATION = CASCADE_PARTS / "interpolation.csv"
EXTRAPOLATION = CASCADE_PARTS / "extrapolation.csv"
CONSISTENCY = CASCADE_PARTS / "consistency.csv"
PASSED_ON = CASCADE_PARTS / "passed_on.csv"
MAPPING = MODELS / "mapping"  # of HARIVO: what its mapping network and frame-wise tokens do
MAPPING_EFFECT = MAPPING / "figure_a1.csv"
TOKEN_ATTENTION = MAPPING / "figure_6b.csv"
NORMALITY = MODELS / "normality/table_a1.csv"  # of HARIVO's noises
ORACLE = MODELS / "oracle"  # of RichSpace: the verdicts on every step of the interpolation
ORACLE_VERDICTS = ORACLE / "verdicts.csv"
BOUNDS = MODELS / "bounds"  # of RichSpace: Theorem A.6 in numbers
BOUNDS_TABLE = BOUNDS / "bounds.csv"
REFERENCE = MODELS / "reference"
PUBLISHED = Path("published")  # figures at full size, in git
PUBLISHED_RESULTS = PUBLISHED / "results"
REPRODUCED = RESULTS / "reproduced.csv"
TRACKED = Path("data/tracked.json")
CHECKED = Path("data/checked.txt")
SCRATCH = Path(".scratch")  # what stages keep to continue after a kill, and to do nothing twice; safe to remove


def world_model(name: str) -> Path:
    """Folder of a model trained in the world."""
    return WORLD_MODELS / name


def histories() -> list[Path]:
    """The curves of each trained model, in its folder."""
    return sorted(WORLD_MODELS.glob(f"*/{HISTORY}"))


def similarities(folder: Path) -> Path:
    """What was measured of each validation clip, in the folder of an autoencoder."""
    return folder / "ssim.csv"


def sweep(point: str) -> Path:
    """Folder of what was measured of a point of a sweep."""
    return SWEEPS / point


def trial(point: str) -> Path:
    """Folder of the curves of a trial of HARIVO's, and of what was measured of its clips."""
    return TRIAL / point


def published(method: str) -> Path:
    """Folder of what was measured of a method's clips at full size."""
    return PUBLISHED / "methods" / method


def etc_point(point: str) -> Path:
    """Folder of what was measured of a point of ETC's."""
    return ETC / point


def etc_larger(point: str) -> Path:
    """Folder of the clips of a point of ETC's with more frames or pixels."""
    return ETC_LARGER / point


def cascade_point(point: str) -> Path:
    """Folder of what was measured of a point of Make-A-Video's."""
    return MAKE_A_VIDEO / point


def code_digest(kind: str) -> Path:
    """Digest of the code that a kind of stages depends on."""
    return Path("data/code") / f"{kind}.txt"


def embeddings(encoder: str) -> Path:
    """Folder of an encoder's embeddings."""
    return EMBEDDINGS / encoder


def search(encoder: str) -> Path:
    """Folder of the search on an encoder's embeddings."""
    return SEARCH / encoder


def clips_of(model: str) -> Path:
    """Folder of the clips of all methods of a model."""
    return CLIPS / model


def clips(model: str, method: str) -> Path:
    """Folder of a method's clips and ledger, below that of its model."""
    return CLIPS / model / method


def features(method: str) -> Path:
    """Folder of a method's features and per-clip measurements."""
    return FEATURES / method
