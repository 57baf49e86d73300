#!/usr/bin/env bash
# Builds @tensorflow/tfjs-node (cpu) or -gpu where its own installer cannot download libtensorflow: everything comes from
# npm and PyPI, checked against the hashes below. ardm's `tensorflow` engine finds the result by itself.
#
#   scripts/build-tfjs-node.sh [cpu|gpu] [FOLDER]
#
# FOLDER: $ARDM_TFJS_NODE, else tfjs-node in ardm's cache folder; not node_modules, which `npm ci` empties.
# Needs Linux on x86-64, npm, g++, python3 with pip; 0.9 GB of disk for cpu, 5 GB for gpu (CUDA 11.8 and cuDNN 8.6
# included: of NVIDIA's software only the driver has to be there). A second run only checks.
set -euo pipefail

fail() { echo "build-tfjs-node: $*" >&2; exit 1; }

tfjs=4.22.0
# The first TensorFlow whose wheel holds a libtensorflow that needs no Python.
tensorflow=2.12.1
variant=${1:-cpu}
case $variant in
  cpu)
    package=@tensorflow/tfjs-node
    integrity=sha512-uHrXeUlfgkMxTZqHkESSV7zSdKdV0LlsBeblqkuKU9nnfxB1pC6DtoyYVaLxznzZy7WQSegjcohxxCjAf6Dc7w==
    wheels="tensorflow-cpu==$tensorflow --hash=sha256:d05b8268da5bd87cf43d46da177e3b3ca39f2db0437e56c5e18351db4cde8679" ;;
  gpu)
    package=@tensorflow/tfjs-node-gpu
    integrity=sha512-p//NN6DGiN4hInUmIkRffaFVMcdTREUMjPyjW04J7OXvB2zBlQimj61eFKSgRrH3f5TnOfKzb0n56he/B6a4bw==
    wheels="tensorflow==$tensorflow --hash=sha256:721da3bd6454d696d07b4a5d786db91650a5b662933aca32b9d8c39160eb1727
nvidia-cuda-runtime-cu11==11.8.89 --hash=sha256:f587bd726eb2f7612cf77ce38a2c1e65cf23251ff49437f6161ce0d647f64f7c
nvidia-cublas-cu11==11.11.3.6 --hash=sha256:39fb40e8f486dd8a2ddb8fdeefe1d5b28f5b99df01c87ab3676f057a74a5a6f3
nvidia-cufft-cu11==10.9.0.58 --hash=sha256:222f9da70c80384632fd6035e4c3f16762d64ea7a843829cb278f98b3cb7dd81
nvidia-curand-cu11==10.3.0.86 --hash=sha256:ac439548c88580269a1eb6aeb602a5aed32f0dbb20809a31d9ed7d01d77f6bf5
nvidia-cusolver-cu11==11.4.1.48 --hash=sha256:ca538f545645b7e6629140786d3127fe067b3d5a085bd794cde5bfe877c8926f
nvidia-cusparse-cu11==11.7.5.86 --hash=sha256:4ae709fe78d3f23f60acaba8c54b8ad556cf16ca486e0cc1aa92dca7555d2d2b
nvidia-cudnn-cu11==8.6.0.163 --hash=sha256:add207b5fb149cfa02919b8f413364ff4ed348a202f6ae3d7922ae5303fa38a3" ;;
  *) fail "the first argument is cpu or gpu, not $variant" ;;
esac
[ "$(uname -sm)" = 'Linux x86_64' ] || fail 'this recipe is for Linux on x86-64'
for tool in node npm g++ python3; do command -v $tool >/dev/null || fail "$tool is missing"; done
python3 -m pip --version >/dev/null 2>&1 || fail 'pip for python3 is missing'

cache=${ARDM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ardm}
folder=${2:-${ARDM_TFJS_NODE:-$cache/tfjs-node}}/$variant
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
at=$folder/node_modules/$package
napi=$(node -p 'Math.min(8, process.versions.napi)')
addon=$at/lib/napi-v$napi/tfjs_binding.node

# A product and a gradient, by the native library.
prove() {
  TF_CPP_MIN_LOG_LEVEL=1 node -e '
    const util = require("util");
    util.isNullOrUndefined ??= (value) => value == null;
    const tf = require(process.argv[1]);
    const a = tf.tensor2d([[1, 2], [3, 4]]);
    const product = [...a.matMul(a).dataSync()].join();
    const gradient = [...tf.grad((w) => tf.conv2d(tf.ones([1, 4, 4, 1]), w, 1, "same").sum())(tf.ones([3, 3, 1, 1])).dataSync()].join();
    if (tf.getBackend() !== "tensorflow" || product !== "7,10,15,22" || gradient !== "9,12,9,12,16,12,9,12,9")
      throw new Error(`wrong result: ${tf.getBackend()} ${product} ${gradient}`);' "$at"
}

if [ -f "$addon" ] && prove; then
  echo "$package $tfjs is already built in $folder"
  exit 0
fi

npm install --prefix "$folder" --ignore-scripts --no-save --no-package-lock --no-audit --no-fund --loglevel=error \
  $package@$tfjs >&2
node -e '
  const [lock, name, expected] = process.argv.slice(1);
  const { integrity } = require(lock).packages[`node_modules/${name}`];
  if (integrity !== expected) throw new Error(`${name} is ${integrity} instead of ${expected}`);' \
  "$folder/node_modules/.package-lock.json" $package "$integrity"

work=$(mktemp -d "$folder/build.XXXXXX")
trap 'rm -rf "$work"' EXIT
echo "$wheels" >"$work/wheels.txt"
python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: --require-hashes \
  --implementation cp --python-version 310 --abi cp310 --abi none \
  --platform manylinux_2_17_x86_64 --platform manylinux2014_x86_64 --platform manylinux1_x86_64 \
  --dest "$work" --requirement "$work/wheels.txt" >&2

# Of the wheels: libtensorflow and its C headers, and CUDA's libraries, laid out as the addon's sources expect.
rm -rf "$at/deps"
python3 - "$work" "$at/deps" <<'PY'
import glob, os, re, shutil, sys, zipfile

wheels, deps = sys.argv[1:]
header = re.compile(r'tensorflow/(include/tensorflow/(?:c|core/platform|tsl/c|tsl/platform)/.*\.h)$')
library = re.compile(r'(?:tensorflow|nvidia/[^/]+/lib)/(lib[^/]+\.so[.0-9]*)$')
for wheel in glob.glob(os.path.join(wheels, '*.whl')):
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if found := header.match(name):
                target = os.path.join(deps, found[1])
            elif found := library.match(name):
                target = os.path.join(deps, 'lib', found[1])
            else:
                continue
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with archive.open(name) as source, open(target, 'wb') as sink:
                shutil.copyfileobj(source, sink, 1 << 20)
PY
ln -s libtensorflow_cc.so.2 "$at/deps/lib/libtensorflow.so"
ln -s libtensorflow_framework.so.2 "$at/deps/lib/libtensorflow_framework.so"

# Node's own headers where it came with them, else npm's copy.
headers=$(node -p 'require("path").resolve(process.execPath, "../../include/node")')
if [ ! -f "$headers/node_api.h" ]; then
  npm install --prefix "$work" --ignore-scripts --no-save --no-audit --no-fund --loglevel=error node-api-headers@1.9.0 >&2
  headers=$work/node_modules/node-api-headers/include
fi
mkdir -p "$(dirname "$addon")"
g++ -std=c++17 -O2 -fPIC -shared -pthread \
  -DNAPI_VERSION="$napi" -DNODE_GYP_MODULE_NAME=tfjs_binding -DBUILDING_NODE_EXTENSION \
  -I"$at/.." -I"$at/deps/include" -I"$headers" "$at"/binding/tfjs_b{ackend,inding}.cc \
  -L"$at/deps/lib" -Wl,-rpath,'$ORIGIN/../../deps/lib' -ltensorflow -ltensorflow_framework -o "$work/addon.node"
mv "$work/addon.node" "$addon"

prove
echo "$package $tfjs is built in $folder"
