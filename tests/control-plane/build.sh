#!/bin/sh
# Builds the control plane that the tests and the demo run on, from Go modules, into a cache that `cargo clean` spares.
# Nothing to do when it is there already, or when KUBEBUILDER_ASSETS names another one.
set -eu

if [ -n "${KUBEBUILDER_ASSETS:-}" ]; then
    echo "control plane: KUBEBUILDER_ASSETS=$KUBEBUILDER_ASSETS"
    exit 0
fi

cd "$(dirname "$0")"
version=$(cat go.sum build.sh | sha256sum | cut -c1-16)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/proxmox-identity/control-plane
if [ -d "$cache/$version" ]; then
    exit 0
fi

mkdir -p "$cache"
building=$(mktemp -d "$cache/building.XXXXXX")
trap 'rm -rf "$building"' EXIT
trap 'exit 130' INT TERM

echo "control plane: building it once, about 5 minutes on 2 cores"
build() {
    echo "control plane: [$1/4] $2"
    CGO_ENABLED=0 GOBIN=$building go install -ldflags="-s -w" "$3"
}
build 1 etcd go.etcd.io/etcd/server/v3
mv "$building/server" "$building/etcd"
build 2 kube-apiserver k8s.io/kubernetes/cmd/kube-apiserver
build 3 kube-controller-manager k8s.io/kubernetes/cmd/kube-controller-manager
build 4 kubectl k8s.io/kubernetes/cmd/kubectl

chmod 755 "$building"
if ! mv -T "$building" "$cache/$version" 2>/dev/null && [ ! -d "$cache/$version" ]; then
    echo "control plane: cannot move $building to $cache/$version" >&2
    exit 1
fi
echo "control plane: ready in $cache/$version"
