# syntax=docker/dockerfile:1
# ardm, ardm-coord and ardm-worker on NVIDIA's GPUs (x86-64; the host has the driver and its container toolkit). From the root of a clone:
#
#   docker build -f deploy/docker/cuda.Dockerfile -t ardm:cuda .                              ONNX Runtime's CUDA provider
#   docker build -f deploy/docker/cuda.Dockerfile -t ardm:tensorflow --target tensorflow .    TensorFlow's own CUDA 11.8 as well
FROM node:22.23.3-bookworm-slim AS node

FROM node AS build
WORKDIR /opt/ardm
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
# The engine's own installer fetches its CUDA libraries; those for TensorRT are not used.
RUN npx tsc -p tsconfig.json \
 && rm -rf dist/test dist/bench test bench docs \
 && npm prune --omit=dev --ignore-scripts --no-audit --no-fund \
 && node scripts/install-engine.mjs \
 && rm -rf dist/node_modules/onnxruntime-node/bin/napi-v*/darwin dist/node_modules/onnxruntime-node/bin/napi-v*/win32 \
 && node dist/node_modules/onnxruntime-node/script/install.js --onnxruntime-node-install \
 && rm -f dist/node_modules/onnxruntime-node/bin/napi-v*/linux/x64/libonnxruntime_providers_tensorrt.so \
 && node dist/cli/bin.js --version

FROM node AS build-tensorflow
RUN apt-get update \
 && apt-get install -y --no-install-recommends g++ python3 python3-pip \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY scripts/build-tfjs-node.sh scripts/
RUN bash scripts/build-tfjs-node.sh gpu /opt/tfjs-node

FROM nvidia/cuda:12.9.1-cudnn-runtime-ubuntu24.04 AS onnxruntime
COPY --from=node /usr/local/bin/node /usr/local/bin/node
COPY --from=build /opt/ardm /opt/ardm
RUN for name in ardm:cli ardm-coord:coordinator ardm-worker:worker; do \
      chmod +x "/opt/ardm/dist/${name#*:}/bin.js" \
   && ln -s "/opt/ardm/dist/${name#*:}/bin.js" "/usr/local/bin/${name%:*}"; \
    done \
 && install -d -o 1000 -g 1000 -m 0700 /work /work/keys /work/runs /work/cache
ENV ARDM_CACHE=/work/cache \
    NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility
WORKDIR /work
USER 1000:1000
EXPOSE 5670 9464
# Of a coordinator; a worker has no server.
HEALTHCHECK --interval=30s --timeout=5s --start-period=120s CMD ["node", "/opt/ardm/deploy/docker/healthz.mjs"]
CMD ["ardm", "--help"]

FROM onnxruntime AS tensorflow
COPY --from=build-tensorflow /opt/tfjs-node /opt/tfjs-node
ENV ARDM_TFJS_NODE=/opt/tfjs-node

# What is built where no target is named.
FROM onnxruntime
