#!/bin/sh
# Writes what a release has for those who do not use Helm: crds.yaml, and deploy.yaml, which installs everything.
# usage: [REGISTRY=…] [DIGEST=sha256:…] charts/manifests.sh FOLDER
set -eu
mkdir -p "$1"
folder=$(realpath "$1")
cd "$(dirname "$0")/.."

# As tests/build-once.sh.
built=${XDG_CACHE_HOME:-$HOME/.cache}/proxmox-identity/helm/$(cat tests/helm/go.sum tests/helm/build.sh tests/build-once.sh | sha256sum | cut -c1-16)
rendered=$("${HELM:-$built/helm}" template proxmox-identity charts/proxmox-identity --skip-tests --namespace proxmox-identity \
    --set crds.keep=false --set-string "image.registry=${REGISTRY:-},image.digest=${DIGEST:-}")

{
    cat <<'NAMESPACE'
apiVersion: v1
kind: Namespace
metadata:
  name: proxmox-identity
  labels:
    app.kubernetes.io/name: proxmox-identity
    pod-security.kubernetes.io/enforce: restricted
NAMESPACE
    # Helm is no part of it afterwards: nothing says that it manages or keeps anything.
    printf '%s\n' "$rendered" |
        sed -e '/^# Source: /d' -e '/^ *helm\.sh\/chart: /d' -e '/^ *app\.kubernetes\.io\/managed-by: Helm$/d'
} >"$folder/deploy.yaml"

{
    for file in crds/*proxmox-identity.dev.yaml; do
        echo '---'
        cat "$file"
    done
} >"$folder/crds.yaml"
