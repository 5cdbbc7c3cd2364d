#!/bin/sh
# Builds helm for the tests of the chart, from Go modules, into a cache that `cargo clean` spares.
# Nothing to do when it is there already, or when HELM names another one.
set -eu

if [ -n "${HELM:-}" ]; then
    echo "helm: HELM=$HELM"
    exit 0
fi

cd "$(dirname "$0")"
version=$(cat go.sum build.sh | sha256sum | cut -c1-16)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/proxmox-identity/helm
if [ -d "$cache/$version" ]; then
    exit 0
fi

mkdir -p "$cache"
building=$(mktemp -d "$cache/building.XXXXXX")
trap 'rm -rf "$building"' EXIT
trap 'exit 130' INT TERM

echo "helm: building it once, about 4 minutes on 2 cores"
CGO_ENABLED=0 GOBIN=$building go install -ldflags="-s -w" helm.sh/helm/v4/cmd/helm

chmod 755 "$building"
if ! mv -T "$building" "$cache/$version" 2>/dev/null && [ ! -d "$cache/$version" ]; then
    echo "helm: cannot move $building to $cache/$version" >&2
    exit 1
fi
echo "helm: ready in $cache/$version"
