#!/bin/sh
# Builds cargo-cyclonedx for the SBOM, from crates.io, into a cache that `cargo clean` spares, and prints its path.
# Nothing to do when it is there already, or when CARGO_CYCLONEDX names another one.
set -eu

if [ -n "${CARGO_CYCLONEDX:-}" ]; then
    echo "$CARGO_CYCLONEDX"
    exit 0
fi

version=0.5.9
cache=${XDG_CACHE_HOME:-$HOME/.cache}/proxmox-identity/cargo-cyclonedx
program=$cache/$version/bin/cargo-cyclonedx
if [ ! -x "$program" ]; then
    mkdir -p "$cache"
    building=$(mktemp -d "$cache/building.XXXXXX")
    trap 'rm -rf "$building"' EXIT
    trap 'exit 130' INT TERM
    echo "cargo-cyclonedx: building it once, about 1 minute on 2 cores" >&2
    # It works for a second: optimizing it would take longer.
    CARGO_PROFILE_DEV_DEBUG=0 CARGO_TARGET_DIR=$building/target RUSTFLAGS='' \
        "${CARGO:-cargo}" install --quiet --locked --debug --root "$building" "cargo-cyclonedx@$version" >&2
    rm -rf "$building/target"
    chmod 755 "$building"
    if ! mv -T "$building" "$cache/$version" 2>/dev/null && [ ! -d "$cache/$version" ]; then
        echo "cargo-cyclonedx: cannot move $building to $cache/$version" >&2
        exit 1
    fi
fi
echo "$program"
