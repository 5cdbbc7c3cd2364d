#!/bin/sh
# Builds helm for the tests of the chart; HELM names another one.
set -eu
exec "$(dirname "$0")/../build-once.sh" helm HELM 4 helm.sh/helm/v4/cmd/helm
