#!/usr/bin/env bash
# Generates core/mien/v1 from proto/mien/v1 with the one pinned generator (proto/requirements.txt).
# An optional argument names another output folder; a test uses it to check that the committed code is current.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here/../core}
python=${PYTHON:-python}
"$python" -m grpc_tools.protoc -I "$here" --python_out="$out" --pyi_out="$out" --grpc_python_out="$out" mien/v1/sentiment.proto
cp "$here/mien/v1/service_config.json" "$out/mien/v1/service_config.json"
