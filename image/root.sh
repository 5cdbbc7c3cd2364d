#!/bin/sh
# Lays out the root file system of the image, as `files` lists it.
# usage: image/root.sh FOLDER PROGRAM SBOM AUTHORITIES
set -eu
here=$(dirname "$0")
root=$1 program=$2 sbom=$3 authorities=$4

install -d -m 0755 "$root"
grep -v '^#' "$here/files" | while read -r mode path from; do
    case $from in
        '') install -d -m "$mode" "$root$path"; continue ;;
        PROGRAM) from=$program ;;
        SBOM) from=$sbom ;;
        AUTHORITIES) from=$authorities ;;
        *) from=$here/$from ;;
    esac
    install -m "$mode" "$from" "$root$path"
done
# The same bytes in the layer, whenever it is built.
find "$root" -exec touch --no-dereference --date="@${SOURCE_DATE_EPOCH:-0}" {} +
