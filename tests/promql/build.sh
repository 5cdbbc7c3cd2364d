#!/bin/sh
# Builds what evaluates queries as Prometheus does; PROMQL names another one.
set -eu
exec "$(dirname "$0")/../build-once.sh" promql PROMQL 3 .
