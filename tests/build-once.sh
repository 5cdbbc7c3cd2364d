#!/bin/sh
# Builds a program for the tests, from Go modules, into a cache that `cargo clean` spares.
# Nothing to do when it is there already, or when a variable names another one.
# usage: tests/build-once.sh NAME VARIABLE MINUTES PACKAGE, of the module in tests/NAME
set -eu
name=$1 variable=$2 minutes=$3 package=$4

eval "other=\${$variable:-}"
if [ -n "$other" ]; then
    echo "$name: $variable=$other"
    exit 0
fi

cd "$(dirname "$0")/$name"
# As tests/support/built.rs. Without sources of its own a module only names what others wrote.
version=$(for file in go.sum build.sh ../build-once.sh *.go; do [ ! -f "$file" ] || cat "$file"; done | sha256sum | cut -c1-16)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/proxmox-identity/$name
if [ -d "$cache/$version" ]; then
    exit 0
fi

mkdir -p "$cache"
building=$(mktemp -d "$cache/building.XXXXXX")
trap 'rm -rf "$building"' EXIT
trap 'exit 130' INT TERM

echo "$name: building it once, about $minutes minutes on 2 cores"
CGO_ENABLED=0 go build -ldflags="-s -w" -o "$building/$name" "$package"

chmod 755 "$building"
if ! mv -T "$building" "$cache/$version" 2>/dev/null && [ ! -d "$cache/$version" ]; then
    echo "$name: cannot move $building to $cache/$version" >&2
    exit 1
fi
echo "$name: ready in $cache/$version"
