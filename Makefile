# Everything a contributor runs. `make` alone lists it.

CARGO ?= cargo
# Tests wait for clusters more than they compute.
TEST_THREADS ?= 6
.DEFAULT_GOAL := help

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo "K8S=1.34 to 1.37 chooses the Kubernetes of the cluster (default 1.37)."

# --- The product ---------------------------------------------------------------------------------------------------

.PHONY: demo demo-down check test
demo: ## The main job, from a fresh machine to containers that run on time (KUBECONTEXT=name uses your cluster)
	$(CARGO) run --quiet --locked -p demo -- up --context "$(KUBECONTEXT)"

demo-down: ## Remove everything that the demo made
	$(CARGO) run --quiet --locked -p demo -- down --context "$(KUBECONTEXT)"

check: ## Formatting, lints, layering
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings

test: check tools ## All tests, those on real clusters included
	$(CARGO) test --workspace --locked -- --test-threads=$(TEST_THREADS)

.PHONY: bench
bench: ## What one look at a task costs
	$(CARGO) bench --locked --bench plan

# --- A cluster on this machine -------------------------------------------------------------------------------------

.PHONY: tools cluster cluster-down
tools: ## Build or install what the cluster is made of (about 10 minutes, only the first time)
	$(CARGO) run --quiet -p cluster -- tools

cluster: ## Start a real cluster for hand work and say how to reach it
	$(CARGO) run --quiet -p cluster -- up

cluster-down: ## End that cluster and remove everything of it
	$(CARGO) run --quiet -p cluster -- down
