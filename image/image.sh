#!/bin/sh
# Builds the image with docker, podman, buildah or nerdctl.
# usage: [BUILDER=…] [RUST=…] [PUSH=1] image/image.sh [REGISTRY/]NAME:TAG
set -eu
name=$1
cd "$(dirname "$0")/.."

works() {
    case $1 in
        docker) docker buildx version && docker info ;;
        *) "$1" info ;;
    esac >/dev/null 2>&1
}

builder=${BUILDER:-}
for candidate in docker podman buildah nerdctl; do
    if [ -z "$builder" ] && works "$candidate"; then
        builder=$candidate
    fi
done
if [ -z "$builder" ]; then
    echo "image: nothing here can build an image: install and start docker with buildx, or podman, or buildah," \
        "or nerdctl with buildkit" >&2
    exit 1
fi

epoch=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
set -- --tag "$name" \
    --build-arg "SOURCE_DATE_EPOCH=$epoch" \
    --build-arg "CREATED=$(date --utc --date="@$epoch" +%Y-%m-%dT%H:%M:%SZ)" \
    --build-arg "REVISION=$(git describe --always --abbrev=40 --dirty --exclude='*')" \
    --build-arg "VERSION=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)" \
    ${RUST:+--build-arg "RUST=$RUST"} .

echo "image: building $name with $builder"
case $builder in
    docker) docker buildx build --load "$@" ;;
    nerdctl) nerdctl build "$@" ;;
    *) "$builder" build --timestamp "$epoch" "$@" ;;
esac
if [ -n "${PUSH:-}" ]; then
    "$builder" push "$name"
fi
