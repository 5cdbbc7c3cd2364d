#!/bin/sh
# Writes the SBOM of the image's program as CycloneDX: all crates that it is built from, with checksums and licences.
# usage: image/sbom.sh FILE
set -eu
here=$(dirname "$0")
tool=$("$here/cyclonedx.sh")

# It writes beside Cargo.toml, names the folder, and counts in what only the tests turn on: so it gets a copy without them.
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
awk '/^\[/ { tests = $0 == "[dev-dependencies]" } !tests' "$here/../Cargo.toml" >"$copy/Cargo.toml"
cp -R "$here/../Cargo.lock" "$here/../src" "$copy"
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-0} "$tool" cyclonedx --quiet --format json --spec-version 1.5 \
    --describe binaries --manifest-path "$copy/Cargo.toml"
mkdir -p "$(dirname "$1")"
sed "s|path+file://$copy|path+file:///src|" "$copy/proxmox-identity_bin.cdx.json" >"$1"
