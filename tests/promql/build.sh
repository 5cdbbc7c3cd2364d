#!/bin/sh
# Builds what evaluates queries as Prometheus does, from Go modules, into a cache that `cargo clean` spares.
# Nothing to do when it is there already, or when PROMQL names another one.
set -eu

if [ -n "${PROMQL:-}" ]; then
    echo "promql: PROMQL=$PROMQL"
    exit 0
fi

cd "$(dirname "$0")"
version=$(cat go.sum build.sh *.go | sha256sum | cut -c1-16)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/proxmox-identity/promql
if [ -d "$cache/$version" ]; then
    exit 0
fi

mkdir -p "$cache"
building=$(mktemp -d "$cache/building.XXXXXX")
trap 'rm -rf "$building"' EXIT
trap 'exit 130' INT TERM

echo "promql: building it once, about 3 minutes on 2 cores"
CGO_ENABLED=0 go build -ldflags="-s -w" -o "$building/promql" .

chmod 755 "$building"
if ! mv -T "$building" "$cache/$version" 2>/dev/null && [ ! -d "$cache/$version" ]; then
    echo "promql: cannot move $building to $cache/$version" >&2
    exit 1
fi
echo "promql: ready in $cache/$version"
