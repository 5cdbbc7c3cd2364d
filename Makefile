# Everything that people and CI run here. `make` alone lists it.

.DEFAULT_GOAL := help
CARGO ?= cargo

.PHONY: help demo test bench lint crds docs chart control-plane helm argocd promql

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: control-plane ## Show the main job on a real control plane and a simulated Proxmox VE; KEEP=1 leaves it up
	@$(CARGO) build --locked --features sim
	@$(CARGO) run --quiet --locked --features sim -- demo $(if $(KEEP),--keep)

# Most tests wait for other processes: more of them than cores run at once.
test: export RUST_TEST_THREADS ?= 6
test: control-plane helm argocd promql lint ## Run all checks and tests
	$(CARGO) test --locked

bench: ## Measure the permission model on 10,000 users and 10,000 ACL entries
	$(CARGO) bench --locked --bench permissions

lint: ## Check formatting and lints
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets --features sim -- -D warnings

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
