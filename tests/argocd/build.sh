#!/bin/sh
# Builds what asks Argo CD's own code; ARGOCD_JUDGE names another one.
set -eu
exec "$(dirname "$0")/../build-once.sh" argocd ARGOCD_JUDGE 4 .
