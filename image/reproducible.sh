#!/bin/sh
# Proves that the program and its SBOM are the same bytes when they are built twice: in other folders, with other crates
# folders, and with nothing left over from before.
set -eu
cd "$(dirname "$0")/.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT TERM

unset CARGO_TARGET_DIR
for copy in "$folder/one" "$folder/another/deeper"; do
    mkdir -p "$copy"
    cp -R .cargo Cargo.toml Cargo.lock rust-toolchain.toml image src "$copy"
done
for copy in "$folder/one" "$folder/another/deeper"; do
    echo "reproducible: building in $copy"
    CARGO_HOME="$copy/crates" "$copy/image/build.sh" >"$copy/program"
    "$copy/image/sbom.sh" "$copy/sbom.json"
done

same() {
    sha256sum "$1" "$2"
    cmp "$1" "$2"
}
same "$(cat "$folder/one/program")" "$(cat "$folder/another/deeper/program")"
same "$folder/one/sbom.json" "$folder/another/deeper/sbom.json"
echo "reproducible: the same"
