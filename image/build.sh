#!/bin/sh
# Builds the program of the image and prints its path: static, so that it needs no file beside it, and the same bytes in
# whatever folder it is built.
# usage: image/build.sh
set -eu
cd "$(dirname "$0")/.."

host=$(rustc -vV | sed -n 's/^host: //p')
target=${CARGO_TARGET_DIR:-$PWD/target}
cargo=${CARGO_HOME:-$HOME/.cargo}

# The last that fits a path counts: the target folder is mostly within the project.
RUSTFLAGS="-C target-feature=+crt-static \
    --remap-path-prefix=$cargo=/cargo --remap-path-prefix=$PWD=/src --remap-path-prefix=$target=/target"
# For the C in dependencies.
CFLAGS="-ffile-prefix-map=$cargo=/cargo -ffile-prefix-map=$target=/target"
export RUSTFLAGS CFLAGS

# With --target the flags are not for build scripts and macros, which cannot be static.
"${CARGO:-cargo}" build --locked --quiet --target "$host" --release --bin proxmox-identity >&2

program=$target/$host/release/proxmox-identity
if readelf --program-headers "$program" | grep -q INTERP; then
    echo "image/build.sh: $program is not static" >&2
    exit 1
fi
echo "$program"
