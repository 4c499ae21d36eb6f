# The project's commands, for people, CI and pipelines. `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# To use another contract and its data: make run CONTRACT=path/to/file.py:Class DATA=file.csv. The artifact goes beside the contract.
# DATED=YYYY-MM-DD says when the data is from; without it, its age is unknown.
CONTRACT ?=
DATA ?=
DATED ?=
# make splits names at spaces, so spaces are replaced while it handles a path.
empty :=
hidden := $(subst $(empty) $(empty),<space>,$(value CONTRACT))
contract_file := $(filter %.py,$(firstword $(subst :, ,$(hidden))))
ARTIFACTS := $(subst <space>, ,$(if $(contract_file),$(dir $(contract_file)),model/)artifacts)
# A variable's value quoted as one shell word, whatever characters it contains.
quoted = '$(subst ','\'',$(value $(1)))'
MODEL = ARTIFACTS=$(call quoted,ARTIFACTS) CONTRACT=$(call quoted,CONTRACT) DATA=$(call quoted,DATA) \
  DATED=$(call quoted,DATED) PYTHON=$(BIN)/python
IMAGE ?= ccapproval-deploy:latest
TRAINING_IMAGE ?= ccapproval:latest
JUNIT ?= report.xml
PORT ?= 9000

# Stamp files record what is installed: only a changed lock file triggers a new installation.
$(BIN)/uv: requirements/bootstrap.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; $(PYTHON) is older. Choose another: make PYTHON=python3.13 …" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt
	@touch $@

$(VENV)/training: requirements/training.txt $(BIN)/uv
	@echo "Installing the training environment into $(VENV) (once) …"
	scripts/alive.sh "installing" $(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/training.txt
	@touch $@

$(VENV)/development: requirements/development.txt $(VENV)/training
	@echo "Installing the development environment into $(VENV) (once) …"
	scripts/alive.sh "installing" $(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/development.txt
	@touch $@

# checkov pins its own versions of many packages, so it has its own environment.
CHECKOV := $(VENV)/checkov/bin/checkov
$(CHECKOV): requirements/checkov.txt $(BIN)/uv
	@echo "Installing checkov into $(VENV)/checkov (once) …"
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(VENV)/checkov
	$(BIN)/uv pip install --quiet --python $(VENV)/checkov/bin/python --require-hashes -r requirements/checkov.txt
	@touch $@

# AWS's runtime interface emulator is a Linux program; on other systems the service runs in Docker.
HOST ?= $(shell uname -s)
EMULATOR := $(if $(filter Linux,$(HOST)),$(VENV)/aws-lambda-rie)
SERVE = $(BIN)/python -m scripts.serve --artifacts $(call quoted,ARTIFACTS) $(if $(EMULATOR),--emulator $(EMULATOR))
# The variables given on make's command line.
GIVEN = $(foreach name,$(sort $(.VARIABLES)),$(if $(filter command,$(origin $(name))),$(name)=$(call quoted,$(name))))

.PHONY: run
run: trained $(EMULATOR) ## Train a model, decide two applications in AWS's Lambda runtime, and stop
	@set -- make serve $(GIVEN); again=$$(printf '%q ' "$$@"); $(SERVE) --serve-with "$${again% }" run

.PHONY: serve
serve: trained $(EMULATOR) ## Serve the model on port 9000 (PORT=…) until Ctrl-C
	@$(SERVE) --port $(PORT) serve

.PHONY: web
web: PORT = 8080
web: trained ## Serve the form and the API over plain HTTP on port 8080 (PORT=…) until Ctrl-C
	@echo "Serving $(ARTIFACTS): http://127.0.0.1:$(PORT) for people, http://127.0.0.1:$(PORT)/docs for developers; Ctrl-C stops it."
	@MODEL_DIR=$(call quoted,ARTIFACTS) HOST=127.0.0.1 PORT=$(PORT) exec $(BIN)/python -m lambda_app.serve

.PHONY: bench
bench: $(VENV)/development trained $(EMULATOR) ## Measure against the alternatives; write docs/benchmarks.md
	@$(if $(EMULATOR),,echo "The benchmarks need figures that only Linux provides: run them on Linux or in WSL 2." >&2; exit 1)
	$(BIN)/python -m benchmarks --artifacts $(call quoted,ARTIFACTS) --emulator $(EMULATOR)

# The compared models are needed for this alone, so they have their own environment.
$(VENV)/peers/bin/python: requirements/peers.txt $(BIN)/uv
	@echo "Installing the compared models into $(VENV)/peers (once) …"
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(VENV)/peers
	$(BIN)/uv pip install --quiet --python $@ --require-hashes -r requirements/peers.txt
	@touch $@

.PHONY: quality
quality: $(VENV)/peers/bin/python ## Compare the scorecard with six other models on two public data sets
	$(VENV)/peers/bin/python -m benchmarks.quality

$(VENV)/frameworks/bin/python: requirements/frameworks.txt $(BIN)/uv
	@echo "Installing the frameworks into $(VENV)/frameworks (once) …"
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(VENV)/frameworks
	$(BIN)/uv pip install --quiet --python $@ --require-hashes -r requirements/frameworks.txt
	@touch $@

.PHONY: frameworks
frameworks: $(VENV)/development $(VENV)/frameworks/bin/python ## Fit models of LightGBM, XGBoost and Keras anew, as ONNX files for the tests
	$(BIN)/python -m scripts.frameworks data build/frameworks
	TF_CPP_MIN_LOG_LEVEL=2 $(VENV)/frameworks/bin/python -m scripts.frameworks fit build/frameworks tests/onnx

.PHONY: trained
trained: $(VENV)/training
	@$(MODEL) scripts/train_if_changed.sh

.PHONY: images
images: trained ## Build both images: the one that Lambda runs, and the one for training with its tests
	@$(MODEL) scripts/images.sh

$(VENV)/aws-lambda-rie: requirements/rie.txt $(BIN)/uv
	@wheels=$$(PYTHON=$(BIN)/python scripts/wheels.sh rie) && $(BIN)/python -m zipfile -e "$$wheels"/aws_sam_cli-*.whl build/emulator
	@install -m 755 build/emulator/samcli/local/rapid/aws-lambda-rie-$(patsubst aarch64,arm64,$(shell uname -m)) $@
	@rm -rf build/emulator

.PHONY: notebook
notebook: $(VENV)/development ## Run credit_card_approval.ipynb and save its outputs
	$(BIN)/python -m scripts.notebook

# MLflow sends usage statistics to its makers unless this is turned off.
.PHONY: experiments
experiments: PORT = 5000
experiments: $(VENV)/training ## Compare recorded training runs in MLflow on port 5000 (PORT=…) until Ctrl-C
	@exec $(BIN)/python -m scripts.experiments --port $(PORT)

.PHONY: pictures
pictures: $(VENV)/development ## Make the pictures of README.md and docs/ from the real pages (needs Chromium; 2 minutes)
	$(BIN)/python -m scripts.pictures --artifacts $(call quoted,ARTIFACTS)

LOCK = cd requirements && ../$(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11
.PHONY: lock
lock: $(BIN)/uv ## Resolve requirements/*.in again into hash-locked requirements/*.txt
	($(LOCK) development.in -o development.txt)
	for image in frameworks inference inference-onnx inference-sklearn lambda-base peers sbom training tutorial; do ($(LOCK) -c development.txt $$image.in -o $$image.txt); done
	$(LOCK) --no-deps rie.in -o rie.txt
	$(LOCK) bootstrap.in -o bootstrap.txt
	$(LOCK) checkov.in -o checkov.txt

.PHONY: cloud
cloud: $(VENV)/development trained ## Deploy to a local AWS: create stacks, push the image, release it, decide an application
	@$(MODEL) scripts/images.sh inference
	@scripts/cloud_up.sh

.PHONY: cloud-down
cloud-down: ## Stop what `make cloud` started
	@scripts/cloud_down.sh

.PHONY: test
test: $(VENV)/development $(EMULATOR) ## Run the tests; those that need Docker, the RIE, Chromium or PostgreSQL are skipped if it is missing
	$(BIN)/pytest --numprocesses 2 --dist loadgroup --durations 15

.PHONY: lint
lint: $(VENV)/development $(CHECKOV) ## Lint and type-check Python, shell, CloudFormation, workflows and Dockerfiles
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/cfn-lint infra/*.yaml examples/step_functions/*.yaml examples/platforms/{ecs,sagemaker}.yaml
	$(CHECKOV) --framework cloudformation --file infra/*.yaml examples/step_functions/*.yaml examples/platforms/{ecs,sagemaker}.yaml --quiet --compact --skip-download
	shellcheck --external-sources scripts/*.sh .ci/run
	$(BIN)/zizmor --offline --no-progress --quiet .github/workflows
	$(BIN)/hadolint Dockerfile_*

.PHONY: evidence
evidence: $(VENV)/development ## Gather a release's evidence into one archive and check it (docs/pipeline.md)
	$(BIN)/python -m operations image training $(TRAINING_IMAGE)
	$(BIN)/python -m operations image inference $(IMAGE)
	$(BIN)/python -m operations evidence --artifacts $(call quoted,ARTIFACTS) --junit $(call quoted,JUNIT)
	$(BIN)/python -m operations verify build/evidence-review.zip

.PHONY: clean
clean: ## Remove everything that these commands created, except the virtual environment
	rm -rf build model/artifacts examples/*/artifacts mlruns mlflow.db report.xml .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
