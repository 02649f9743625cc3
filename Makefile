# Everything that a contributor runs. `make` lists the targets.

CARGO ?= cargo
HELM ?= helm
# Tests mostly wait for clusters.
TEST_THREADS ?= 6
.DEFAULT_GOAL := help

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo "K8S=1.34 to 1.37 selects the Kubernetes version of the cluster (default 1.37)."

# --- The product ---------------------------------------------------------------------------------------------------

.PHONY: demo demo-down check test
demo: ## From a fresh machine to containers that run on schedule (KUBECONTEXT=name uses your cluster)
	$(CARGO) run --quiet --locked -p demo -- up --context "$(KUBECONTEXT)"

demo-down: ## Remove everything that the demo created
	$(CARGO) run --quiet --locked -p demo -- down --context "$(KUBECONTEXT)"

check: ## Check formatting and lints
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings

test: check tools ## Run all tests, including those on real clusters
	$(CARGO) test --workspace --locked --no-fail-fast -- --test-threads=$(TEST_THREADS)

.PHONY: e2e e2e-rights
e2e: image ## Test the chart on a real node, as pods of its image (root; K8S=1.34 selects another Kubernetes version)
	PUNCTUAL_IMAGE=$(abspath $(IMAGE)) $(CARGO) test --locked --test e2e -- --nocapture --test-threads=$(TEST_THREADS)

e2e-rights: ## Run the tests on a control plane with an operator that has only the chart's rights
	PUNCTUAL_RIGHTS=chart $(CARGO) test --locked --test it -- --test-threads=$(TEST_THREADS)

# --- What is released ----------------------------------------------------------------------------------------------

TARGET := $(or $(CARGO_TARGET_DIR),target)
VERSION = $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
OS := $(shell uname -s | tr A-Z a-z)
ARCH := $(patsubst x86_64,amd64,$(patsubst aarch64,arm64,$(shell uname -m)))
# The image of this machine's architecture, and those of all architectures that a release has, each built on its own machine.
IMAGE := $(TARGET)/punctual.tar
IMAGES ?= $(TARGET)/punctual-amd64.tar $(TARGET)/punctual-arm64.tar
# The command line, for each platform.
CLI = $(TARGET)/punctual-$(VERSION)-$(OS)-$(ARCH).tar.gz
PLATFORMS := linux-amd64 linux-arm64 darwin-amd64 darwin-arm64

.PHONY: image manifests package registry-login publish cli krew
image: ## Build the operator's image as an OCI archive, without Docker; import it into the running cluster
	$(CARGO) build --release --locked --package punctual --bin punctual
	$(CARGO) run --quiet --locked -p cluster -- image --binary $(TARGET)/release/punctual --out $(IMAGE) \
		--revision "$$(git rev-parse HEAD 2>/dev/null || echo unknown)"
	ln -f $(IMAGE) $(TARGET)/punctual-$(ARCH).tar

manifests: ## Regenerate deploy/, the chart's README and its copy of the CRD
	BLESS=1 $(CARGO) test --quiet --locked --test chart -- generated_from
	BLESS=1 $(CARGO) test --quiet --locked --test kustomize -- generated_from

package: ## Package the chart
	$(HELM) package charts/punctual --destination $(TARGET)

registry-login: ## Log in to REGISTRY=host/path as REGISTRY_USER with REGISTRY_PASSWORD (both from the environment)
	@printf %s "$$REGISTRY_PASSWORD" | skopeo login --username "$$REGISTRY_USER" --password-stdin $(firstword $(subst /, ,$(REGISTRY)))
	@printf %s "$$REGISTRY_PASSWORD" | $(HELM) registry login --username "$$REGISTRY_USER" --password-stdin $(firstword $(subst /, ,$(REGISTRY)))

publish: package ## Push the image for amd64 and arm64, and the chart, to REGISTRY=host/path (IMAGES=target/punctual.tar: this machine's only)
	@test -n "$(REGISTRY)" || { echo "REGISTRY=host/path is missing" >&2; exit 1; }
	@test "$(or $(TAG),v$(VERSION))" = "v$(VERSION)" || { echo "the tag is $(TAG), the version in Cargo.toml is $(VERSION)" >&2; exit 1; }
	@for image in $(IMAGES); do test -f $$image || { echo "$$image is missing: run \`make image\` on a machine of that architecture and copy" \
		"the file here, or publish this machine's image only with IMAGES=$(IMAGE)" >&2; exit 1; }; done
	$(CARGO) run --quiet --locked -p cluster -- join --out $(TARGET)/punctual-index.tar $(IMAGES)
	skopeo copy --all oci-archive:$(TARGET)/punctual-index.tar docker://$(REGISTRY)/punctual:$(VERSION)
	$(HELM) push $(TARGET)/punctual-$(VERSION).tgz oci://$(REGISTRY)/charts

cli: ## Build the command line as an archive for this platform
	$(CARGO) build --release --locked --package punctual --bin punctual
	tar -czf $(CLI) -C $(TARGET)/release punctual -C $(CURDIR) LICENSE

krew: ## Write the krew manifest for the archives of all platforms, to be downloaded from URL
	@test -n "$(URL)" || { echo "URL=https://… (the folder of the archives) is missing" >&2; exit 1; }
	@sed -e 's|@VERSION@|$(VERSION)|g' -e 's|@URL@|$(URL)|g' -e 's|@HOMEPAGE@|$(or $(HOMEPAGE),$(URL))|g' deploy/krew.yaml > $(TARGET)/punctual-krew.yaml
	@set -e; for platform in $(PLATFORMS); do \
		archive=$(TARGET)/punctual-$(VERSION)-$$platform.tar.gz; \
		test -f $$archive || { echo "$$archive is missing: run \`make cli\` on that platform" >&2; exit 1; }; \
		sum=$$(sha256sum $$archive | cut -d' ' -f1); \
		sed -e "s|@$$platform@|$$sum|" $(TARGET)/punctual-krew.yaml > $(TARGET)/krew.tmp; mv $(TARGET)/krew.tmp $(TARGET)/punctual-krew.yaml; \
	done

.PHONY: sim
sim: ## Run random simulations with faults, checked independently (SIM_SEEDS=1000 of them)
	SIM_SEEDS=$${SIM_SEEDS:-1000} $(CARGO) test --release --locked --test sim -- whatever --nocapture

.PHONY: bench bench-cluster
bench: ## Measure the time of one plan and the memory of one task
	$(CARGO) bench --locked --bench plan --bench memory

bench-cluster: tools ## Compare with the CronJob controller on a real control plane; writes docs/benchmark.md (30 minutes; QUICK=1: 5)
	$(CARGO) build --release --locked --package punctual --package bench-cluster
	$(TARGET)/release/bench-cluster --operator $(TARGET)/release/punctual

.PHONY: receipts
receipts: tools ## Notify of 10,000 outcomes while the broker and the operator are killed 50 times each (about 25 minutes)
	RECEIPTS_SLOTS=$${RECEIPTS_SLOTS:-10000} RECEIPTS_KILLS=$${RECEIPTS_KILLS:-50} $(CARGO) test --locked --test receipts -- --nocapture

.PHONY: e2e-failover
e2e-failover: tools ## Test 200 changes of leader with short leases and 20 with default ones; prints a table (about 10 minutes)
	FAILOVER_SHORT=$${FAILOVER_SHORT:-200} FAILOVER_DEFAULT=$${FAILOVER_DEFAULT:-20} $(CARGO) test --locked --test failover -- --nocapture

# --- A cluster on this machine -------------------------------------------------------------------------------------

.PHONY: tools cluster cluster-down
tools: ## Build or install the cluster's programs (about 10 minutes, only the first time)
	$(CARGO) run --quiet -p cluster -- tools

cluster: ## Start a real cluster for manual work
	$(CARGO) run --quiet -p cluster -- up

cluster-down: ## Stop that cluster and remove everything of it
	$(CARGO) run --quiet -p cluster -- down
