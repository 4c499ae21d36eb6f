# The project's vocabulary, for people, CI and pipelines alike. `make help` lists it.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# Another contract and its data: make run CONTRACT=path/to/file.py:Class DATA=file.csv. Its artifact goes beside it.
# DATED=YYYY-MM-DD says when the data is from; without it nobody can tell how old it is.
CONTRACT ?=
DATA ?=
DATED ?=
CONTRACT_FILE := $(filter %.py,$(firstword $(subst :, ,$(CONTRACT))))
ARTIFACTS := $(if $(CONTRACT_FILE),$(dir $(CONTRACT_FILE)),model/)artifacts
IMAGE ?= ccapproval-deploy:latest
TRAINING_IMAGE ?= ccapproval:latest
PORT ?= 9000

# Installing is stamped by what was installed: a changed lock file installs again, nothing else does.
$(BIN)/uv: requirements/bootstrap.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; $(PYTHON) is older. Name another: make PYTHON=python3.13 …" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt
	@touch $@

$(VENV)/training: requirements/training.txt $(BIN)/uv
	@echo "Installing the training environment into $(VENV) (once) …"
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/training.txt
	@touch $@

$(VENV)/development: requirements/development.txt $(VENV)/training
	@echo "Installing the development environment into $(VENV) (once) …"
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/development.txt
	@touch $@

# Pins its own versions of much, hence an environment of its own.
CHECKOV := $(VENV)/checkov/bin/checkov
$(CHECKOV): requirements/checkov.txt $(BIN)/uv
	@echo "Installing checkov into $(VENV)/checkov (once) …"
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(VENV)/checkov
	$(BIN)/uv pip install --quiet --python $(VENV)/checkov/bin/python --require-hashes -r requirements/checkov.txt
	@touch $@

# AWS's runtime interface emulator is a Linux program; without it the service runs in Docker.
HOST ?= $(shell uname -s)
EMULATOR := $(if $(filter Linux,$(HOST)),$(VENV)/aws-lambda-rie)
SERVE = $(BIN)/python -m scripts.serve --artifacts $(ARTIFACTS) $(if $(EMULATOR),--emulator $(EMULATOR))

.PHONY: run
run: $(ARTIFACTS)/manifest.json $(EMULATOR) ## Train a model, decide two applications in AWS's Lambda runtime, stop
	@$(SERVE) --serve-with '$(strip make serve $(MAKEOVERRIDES))' run

.PHONY: serve
serve: $(ARTIFACTS)/manifest.json $(EMULATOR) ## Decide your applications on port 9000 (PORT=…) until Ctrl-C
	@$(SERVE) --port $(PORT) serve

.PHONY: bench
bench: $(VENV)/development $(ARTIFACTS)/manifest.json $(EMULATOR) ## Measure against the alternatives; write docs/benchmarks.md
	@$(if $(EMULATOR),,echo "The benchmarks read Linux's own figures: run them on Linux, or in WSL 2." >&2; exit 1)
	$(BIN)/python -m benchmarks --artifacts $(ARTIFACTS) --emulator $(EMULATOR)

# Trained again only when the code, the contract, the data or what was asked for has changed.
ASKED := $(strip $(if $(CONTRACT),--contract $(CONTRACT)) $(if $(DATA),--data $(DATA)) $(if $(DATED),--dated $(DATED)))
$(ARTIFACTS)/manifest.json: $(VENV)/training $(ARTIFACTS)/trained-from $(CONTRACT_FILE) $(DATA) \
  $(shell find model lambda_app policies -name '*.py' -o -name limits.json -o -path '*/templates/*' -o -name '*.rego') \
  $(wildcard $(dir $(CONTRACT_FILE))limits.json)
	$(BIN)/python -m model train --out $(ARTIFACTS) $(ASKED)
	@touch $@

$(ARTIFACTS)/trained-from: FORCE
	@mkdir -p $(@D)
	@echo '$(ASKED)' | cmp -s - $@ || echo '$(ASKED)' >$@
.PHONY: FORCE

.PHONY: images
images: $(ARTIFACTS)/manifest.json ## Build both images: what Lambda runs, and training with its tests
	@ARTIFACTS=$(ARTIFACTS) CONTRACT=$(CONTRACT) DATA=$(DATA) scripts/images.sh

$(VENV)/aws-lambda-rie: requirements/rie.txt $(BIN)/uv
	@wheels=$$(PYTHON=$(BIN)/python scripts/wheels.sh rie) && $(BIN)/python -m zipfile -e "$$wheels"/aws_sam_cli-*.whl build/emulator
	@install -m 755 build/emulator/samcli/local/rapid/aws-lambda-rie-$(patsubst aarch64,arm64,$(shell uname -m)) $@
	@rm -rf build/emulator

.PHONY: notebook
notebook: $(VENV)/development ## Run credit_card_approval.ipynb and keep its outputs
	$(BIN)/python -m scripts.notebook

# MLflow reports its use to its makers unless told not to.
.PHONY: experiments
experiments: PORT = 5000
experiments: export MLFLOW_DISABLE_TELEMETRY = true
experiments: $(VENV)/training ## Compare recorded training runs in MLflow's own pages, on port 5000 (PORT=…) until Ctrl-C
	@case "$${MLFLOW_TRACKING_URI:-}" in http*) \
	  echo "Runs are recorded on the server that MLFLOW_TRACKING_URI names; its pages are there: $$MLFLOW_TRACKING_URI"; exit;; esac; \
	echo "Open http://127.0.0.1:$(PORT) and choose an experiment; Ctrl-C stops."; \
	exec $(BIN)/mlflow ui --backend-store-uri "$${MLFLOW_TRACKING_URI:-sqlite:///mlflow.db}" --host 127.0.0.1 --port $(PORT) --workers 1

LOCK = cd requirements && ../$(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11
.PHONY: lock
lock: $(BIN)/uv ## Resolve requirements/*.in again into hash-locked requirements/*.txt
	($(LOCK) development.in -o development.txt)
	for image in inference inference-sklearn lambda-base sbom training tutorial; do ($(LOCK) -c development.txt $$image.in -o $$image.txt); done
	$(LOCK) --no-deps rie.in -o rie.txt
	$(LOCK) bootstrap.in -o bootstrap.txt
	$(LOCK) checkov.in -o checkov.txt

.PHONY: cloud
cloud: $(VENV)/development images ## Run a whole AWS here: stacks, the image pushed, a release, a decision
	@scripts/cloud_up.sh

.PHONY: cloud-down
cloud-down: ## End what `make cloud` started
	@scripts/cloud_down.sh

.PHONY: test
test: $(VENV)/development $(EMULATOR) ## Pass the tests; what needs Docker, the RIE or Chromium says so where it is missing
	$(BIN)/pytest --numprocesses 2 --dist loadgroup --durations 15

.PHONY: lint
lint: $(VENV)/development $(CHECKOV) ## Lint and type-check Python, shell and CloudFormation
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/cfn-lint infra/*.yaml
	$(CHECKOV) --framework cloudformation --directory infra --quiet --compact --skip-download
	shellcheck --external-sources scripts/*.sh .ci/run

.PHONY: evidence
evidence: $(VENV)/development ## Gather a release's evidence into one archive, and check it (docs/pipeline.md)
	$(BIN)/python -m operations image training $(TRAINING_IMAGE)
	$(BIN)/python -m operations image inference $(IMAGE)
	$(BIN)/python -m operations evidence --artifacts $(ARTIFACTS)
	$(BIN)/python -m operations verify build/evidence-review.zip

.PHONY: clean
clean: ## Remove what the project made, but for the virtual environment
	rm -rf build model/artifacts examples/*/artifacts mlruns mlflow.db report.xml .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
