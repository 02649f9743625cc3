# Everything a contributor runs. `make` alone lists it.

CARGO ?= cargo
HELM ?= helm
# Tests wait for clusters more than they compute.
TEST_THREADS ?= 6
.DEFAULT_GOAL := help

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
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
	$(CARGO) test --workspace --locked --no-fail-fast -- --test-threads=$(TEST_THREADS)

.PHONY: e2e e2e-rights
e2e: image ## The chart on a real node, as pods of its image (root; K8S=1.34 chooses another Kubernetes)
	PUNCTUAL_IMAGE=$(abspath $(IMAGE)) $(CARGO) test --locked --test e2e -- --nocapture --test-threads=$(TEST_THREADS)

e2e-rights: ## The tests on a control plane, with an operator that has the chart's rights and no others
	PUNCTUAL_RIGHTS=chart $(CARGO) test --locked --test it -- --test-threads=$(TEST_THREADS)

# --- What is released ----------------------------------------------------------------------------------------------

TARGET := $(or $(CARGO_TARGET_DIR),target)
IMAGE := $(TARGET)/punctual.tar
VERSION = $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)

.PHONY: image manifests package registry-login publish
image: ## The operator's image as an OCI archive, without Docker; brought to the cluster that is up
	$(CARGO) build --release --locked --package punctual --bin punctual
	$(CARGO) run --quiet --locked -p cluster -- image --binary $(TARGET)/release/punctual --out $(IMAGE) \
		--revision "$$(git rev-parse HEAD 2>/dev/null || echo unknown)"

manifests: ## Regenerate deploy/, the chart's README and its copy of the CRD
	BLESS=1 $(CARGO) test --quiet --locked --test chart -- generated_from
	BLESS=1 $(CARGO) test --quiet --locked --test kustomize -- generated_from

package: ## The chart as a package
	$(HELM) package charts/punctual --destination $(TARGET)

registry-login: ## Log in at REGISTRY=host/path as REGISTRY_USER with REGISTRY_PASSWORD (both from the environment)
	@printf %s "$$REGISTRY_PASSWORD" | skopeo login --username "$$REGISTRY_USER" --password-stdin $(firstword $(subst /, ,$(REGISTRY)))
	@printf %s "$$REGISTRY_PASSWORD" | $(HELM) registry login --username "$$REGISTRY_USER" --password-stdin $(firstword $(subst /, ,$(REGISTRY)))

publish: image package ## Bring image and chart of this version to REGISTRY=host/path
	@test -n "$(REGISTRY)" || { echo "REGISTRY=host/path is missing" >&2; exit 1; }
	@test "$(or $(TAG),v$(VERSION))" = "v$(VERSION)" || { echo "the tag is $(TAG), Cargo.toml says $(VERSION)" >&2; exit 1; }
	skopeo copy oci-archive:$(IMAGE) docker://$(REGISTRY)/punctual:$(VERSION)
	$(HELM) push $(TARGET)/punctual-$(VERSION).tgz oci://$(REGISTRY)/charts

.PHONY: sim
sim: ## Random worlds with faults, judged by a checker of its own (SIM_SEEDS=1000 says how many)
	SIM_SEEDS=$${SIM_SEEDS:-1000} $(CARGO) test --release --locked --test sim -- whatever --nocapture

.PHONY: bench
bench: ## What one look at a task costs
	$(CARGO) bench --locked --bench plan

.PHONY: e2e-failover
e2e-failover: tools ## 200 changes of leader with short leases and 20 with the default ones; prints one table (about 10 minutes)
	FAILOVER_SHORT=$${FAILOVER_SHORT:-200} FAILOVER_DEFAULT=$${FAILOVER_DEFAULT:-20} $(CARGO) test --locked --test failover -- --nocapture

# --- A cluster on this machine -------------------------------------------------------------------------------------

.PHONY: tools cluster cluster-down
tools: ## Build or install what the cluster is made of (about 10 minutes, only the first time)
	$(CARGO) run --quiet -p cluster -- tools

cluster: ## Start a real cluster for hand work and say how to reach it
	$(CARGO) run --quiet -p cluster -- up

cluster-down: ## End that cluster and remove everything of it
	$(CARGO) run --quiet -p cluster -- down
