# Everything that people and CI run here. `make` alone lists it.

.DEFAULT_GOAL := help
CARGO ?= cargo

.PHONY: help demo test torture bench lint deny crds docs chart control-plane helm argocd promql cyclonedx image sbom reproducible release-manifests

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: control-plane ## Show the main job on a real control plane and a simulated Proxmox VE; KEEP=1 leaves it up; 10 minutes the first time, then seconds
	@$(CARGO) build --locked --features sim
	@$(CARGO) run --quiet --locked --features sim -- demo $(if $(KEEP),--keep)

# Most tests wait for other processes: more of them than cores run at once. What they wait for most is kube-apiserver: with
# memory to spare it collects garbage less often.
TEST := RUST_TEST_THREADS=$${RUST_TEST_THREADS:-6} GOGC=$${GOGC:-800} $(CARGO) test --locked

test: control-plane helm argocd promql cyclonedx lint ## Run all checks and tests; half an hour on two cores
	$(TEST)

TORTURE := $(TEST) --profile torture

torture: control-plane helm ## Prove reliability at length: hours on two cores; docs/reliability.md says of what
	KILL_EVERYWHERE=1 $(TORTURE) --test kills -- --nocapture
	FAULTS_EVERYWHERE=1 OBJECTS_AT_ONCE=5000 $(TORTURE) --test faults -- --nocapture
	SHARDED_CONNECTIONS=200 $(TORTURE) --test operator -- --nocapture replicas::shards
	WALK_DECLARATIONS=100000 WALK_LOG=debug $(TORTURE) --test walks -- --nocapture walks_find
	PROXMOX_IDENTITY_FUZZ=1000000 $(TORTURE) --test fuzz --lib -- fuzz certificates texts manifests

# What is measured should have the machine to itself.
bench: control-plane helm ## Measure what the operator costs and write docs/performance.md; ARGS="resync latency" does some of it; half an hour
ifneq ($(if $(ARGS),$(filter criterion,$(ARGS)),all),)
	$(CARGO) bench --locked --bench permissions --bench plan
endif
	$(CARGO) bench --locked --bench scale -- $(ARGS)

lint: ## Check formatting and lints
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets --features sim -- -D warnings

deny: ## Check dependencies: advisories, licences, bans and sources
	@command -v cargo-deny >/dev/null || { echo "deny: cargo install --locked cargo-deny" >&2; exit 1; }
	$(CARGO) deny --locked check

# The version is the project's, so that an image is never of another than its label says.
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
REGISTRY ?=

image: ## Build the image with docker, podman, buildah or nerdctl; REGISTRY=… names it for one, PUSH=1 pushes it
	@image/image.sh $(if $(REGISTRY),$(REGISTRY)/)proxmox-identity:$(VERSION)

sbom: cyclonedx ## Write the SBOM of the image to dist/
	@image/sbom.sh dist/proxmox-identity.cdx.json

reproducible: ## Build the image's program twice, in different folders, and compare
	@image/reproducible.sh

release-manifests: helm ## Write dist/crds.yaml and dist/deploy.yaml for kubectl; REGISTRY=… and DIGEST=sha256:… name the image
	@REGISTRY=$(REGISTRY) DIGEST=$(DIGEST) charts/manifests.sh dist

crds: ## Write crds/*.yaml and the chart's copies of them anew from the types
	UPDATE_CRDS=1 $(CARGO) test --locked --quiet --test crd_files the_files

docs: ## Write docs/reasons.md and the field references of docs/kinds anew from the code
	UPDATE_DOCS=1 $(CARGO) test --locked --quiet --test docs make_docs_writes

chart: ## Write the table of values in the chart's README anew
	UPDATE_CHART=1 $(CARGO) test --locked --quiet --test chart the_table_of_values

control-plane: ## Build etcd, kube-apiserver, kube-controller-manager and kubectl for the tests, once
	@tests/control-plane/build.sh

helm: ## Build helm for the tests of the chart, once
	@tests/helm/build.sh

argocd: ## Build what asks Argo CD's code for the tests, once
	@tests/argocd/build.sh

promql: ## Build what evaluates queries as Prometheus does for the tests, once
	@tests/promql/build.sh

cyclonedx: ## Build cargo-cyclonedx for the SBOM, once
	@image/cyclonedx.sh >/dev/null
