# Everything a contributor runs. `make` alone lists it.

CARGO ?= cargo
.DEFAULT_GOAL := help

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo "K8S=1.34 to 1.37 chooses the Kubernetes of the cluster (default 1.37)."

# --- A cluster on this machine -------------------------------------------------------------------------------------

.PHONY: tools cluster cluster-down
tools: ## Build or install what the cluster is made of (about 10 minutes, only the first time)
	$(CARGO) run --quiet -p cluster -- tools

cluster: ## Start a real cluster for hand work and say how to reach it
	$(CARGO) run --quiet -p cluster -- up

cluster-down: ## End that cluster and remove everything of it
	$(CARGO) run --quiet -p cluster -- down
