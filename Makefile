# make report   everything, ending with reports/index.html      make test   the tests
# make smoke    the main job, small, in a scratch copy           make lint   the linter
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
export OMP_WAIT_POLICY := PASSIVE
export PATH := $(CURDIR)/$(BIN):$(PATH)
# Containers that set it compile the same libraries at every stage's start, 8 seconds each.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: report test smoke lint lock clean shipped
.DEFAULT_GOAL := report

# git goes by the size of a file: `add` of a dvc.lock with the same content tells it that nothing changed.
SAME := ! git diff --quiet -- dvc.lock 2>/dev/null || git add dvc.lock 2>/dev/null || true

report: $(READY)
	@dvc repro
	@$(SAME)
	@echo "report: $(CURDIR)/reports/index.html"

# A process for each core (up to four: each holds torch) with one thread each: small tensors gain nothing from a second.
test: $(READY)
	@dvc repro --quiet weights
	@$(SAME)
	@OMP_NUM_THREADS=1 pytest --numprocesses logical --maxprocesses 4 --dist worksteal

smoke: $(READY)
	@reelbench smoke

lint: $(READY)
	@ruff check .
	@ruff format --check .

# The lock file holds everything but torch and what only its CUDA build needs.
CUDA_ONLY := triton cuda-bindings cuda-pathfinder cuda-toolkit nvidia-cublas nvidia-cuda-cupti nvidia-cuda-nvrtc \
  nvidia-cuda-runtime nvidia-cudnn-cu13 nvidia-cufft nvidia-cufile nvidia-curand nvidia-cusolver nvidia-cusparse \
  nvidia-cusparselt-cu13 nvidia-nccl-cu13 nvidia-nvjitlink nvidia-nvshmem-cu13 nvidia-nvtx
lock: $(READY)
	@pip install --quiet uv
	@uv pip compile --quiet pyproject.toml --extra dev --generate-hashes --python-version 3.11 --no-header \
	  --no-annotate $(foreach package,torch $(CUDA_ONLY),--no-emit-package $(package)) --output-file requirements.lock

# git sees of dvc.lock what is shipped (docs/dag.md): every target that needs the environment turns the filter on.
shipped:
	@git config filter.shipped.clean 'awk -f .dvc/shipped.awk' 2>/dev/null || true

# Python compiles what it imports; pip would compile everything, which takes longer than all of the downloads.
QUICKLY := --quiet --no-compile
$(READY): requirements.lock requirements-torch.txt pyproject.toml | shipped
	@echo "setting up $(VENV)"
	@test -x $(BIN)/pip || $(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install $(QUICKLY) --requirement requirements-torch.txt
	@$(BIN)/python -m pip install $(QUICKLY) --no-deps --require-hashes --requirement requirements.lock
	@$(BIN)/python -m pip install $(QUICKLY) --no-deps --no-build-isolation --editable .
	@touch $(READY)

clean:
	rm -rf $(VENV) $(filter-out data/summary,$(wildcard data/*)) reports dvc_plots models/public .scratch
