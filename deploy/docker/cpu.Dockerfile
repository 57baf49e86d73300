# syntax=docker/dockerfile:1
# ardm, ardm-coord and ardm-worker on CPUs. From the root of a clone:
#
#   docker build -f deploy/docker/cpu.Dockerfile -t ardm:cpu .
FROM node:22.23.3-bookworm-slim AS build
WORKDIR /opt/ardm
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
# Without what only builds and tests; then the engine, which is no plain dependency.
RUN npx tsc -p tsconfig.json \
 && rm -rf dist/test dist/bench test bench docs \
 && npm prune --omit=dev --ignore-scripts --no-audit --no-fund \
 && node scripts/install-engine.mjs \
 && rm -rf dist/node_modules/onnxruntime-node/bin/napi-v*/darwin dist/node_modules/onnxruntime-node/bin/napi-v*/win32 \
 && node dist/cli/bin.js --version

FROM node:22.23.3-bookworm-slim
COPY --from=build /opt/ardm /opt/ardm
RUN for name in ardm:cli ardm-coord:coordinator ardm-worker:worker; do \
      chmod +x "/opt/ardm/dist/${name#*:}/bin.js" \
   && ln -s "/opt/ardm/dist/${name#*:}/bin.js" "/usr/local/bin/${name%:*}"; \
    done \
 && install -d -o 1000 -g 1000 -m 0700 /work /work/keys /work/runs /work/cache
ENV ARDM_CACHE=/work/cache
WORKDIR /work
USER 1000:1000
EXPOSE 5670 9464
# Of a coordinator; a worker has no server.
HEALTHCHECK --interval=30s --timeout=5s --start-period=120s CMD ["node", "/opt/ardm/deploy/docker/healthz.mjs"]
CMD ["ardm", "--help"]
