#!/bin/sh
# Builds what asks Argo CD's own code, from Go modules, into a cache that `cargo clean` spares.
# Nothing to do when it is there already, or when ARGOCD_JUDGE names another one.
set -eu

if [ -n "${ARGOCD_JUDGE:-}" ]; then
    echo "argocd: ARGOCD_JUDGE=$ARGOCD_JUDGE"
    exit 0
fi

cd "$(dirname "$0")"
version=$(cat go.sum build.sh *.go | sha256sum | cut -c1-16)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/proxmox-identity/argocd
if [ -d "$cache/$version" ]; then
    exit 0
fi

mkdir -p "$cache"
building=$(mktemp -d "$cache/building.XXXXXX")
trap 'rm -rf "$building"' EXIT
trap 'exit 130' INT TERM

echo "argocd: building it once, about 4 minutes on 2 cores"
CGO_ENABLED=0 go build -ldflags="-s -w" -o "$building/argocd" .

chmod 755 "$building"
if ! mv -T "$building" "$cache/$version" 2>/dev/null && [ ! -d "$cache/$version" ]; then
    echo "argocd: cannot move $building to $cache/$version" >&2
    exit 1
fi
echo "argocd: ready in $cache/$version"
