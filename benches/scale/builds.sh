#!/bin/sh
# Builds the operator in several ways and measures each; the figures go beside those of the rig, and with them into
# docs/performance.md. It takes hours.
# usage: benches/scale/builds.sh [NAME=VALUE,…]…   for example lto=fat,codegen-units=1
#        ALLOCATOR=/usr/lib/…/libjemalloc.so.2 benches/scale/builds.sh   the program as it is, with another allocator
set -eu
cd "$(dirname "$0")/../.."
cargo=${CARGO:-cargo}
folder=${CARGO_TARGET_DIR:-$PWD/target}/builds

measure() {
    "$cargo" bench --locked --bench scale -- --as "$1" --program "$2" resync latency
}

if [ -n "${ALLOCATOR:-}" ]; then
    "$cargo" build --locked --release --features sim --bin proxmox-identity
    mkdir -p "$folder"
    # The rig starts what it is given; a static program could not be told of another allocator so.
    printf '#!/bin/sh\nLD_PRELOAD=%s exec %s/../release/proxmox-identity "$@"\n' "$ALLOCATOR" "$folder" >"$folder/preloaded"
    chmod +x "$folder/preloaded"
    measure "$(basename "$ALLOCATOR" | cut -d. -f1)" "$folder/preloaded"
    exit
fi

for build in "${@:-lto=thin,codegen-units=4}"; do
    set --
    for setting in $(echo "$build" | tr , ' '); do
        set -- "$@" --config "profile.release.$(echo "$setting" | sed 's/=\([a-z].*\)/="\1"/')"
    done
    # The rig starts programs by env, which takes what has a = in it for a variable.
    target=$folder/$(echo "$build" | tr = -)
    CARGO_TARGET_DIR=$target "$cargo" build --locked --release --features sim --bin proxmox-identity "$@"
    measure "$build" "$target/release/proxmox-identity"
done
