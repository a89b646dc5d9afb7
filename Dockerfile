# What the image holds: the program in few files, dist/; the production dependencies, which are in these files already, as the
# packages they came from, for scanners, licences and what an operator loads besides; package.json and the licence. It runs as
# a user that owns none of these files and writes nothing, so the root file system can be mounted read-only.

FROM node:24.21.0-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
COPY tools/runtime/package.json tools/runtime/
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY tools/bundle.ts tools/clean-dist.ts tools/write-bundle.ts tools/
COPY src src
RUN npm run build && npm run bundle

FROM node:24.21.0-bookworm-slim AS dependencies
WORKDIR /dependencies
COPY package.json package-lock.json ./
COPY tools/runtime/package.json tools/runtime/
RUN npm ci --omit=dev --ignore-scripts

FROM node:24.21.0-bookworm-slim
LABEL org.opencontainers.image.title="portcullis" \
      org.opencontainers.image.description="The auth gateway for MCP servers" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="Apache-2.0"
ENV NODE_ENV=production
WORKDIR /app
COPY --from=dependencies /dependencies/node_modules node_modules
COPY --from=build /build/bundle dist
COPY package.json LICENSE ./
# A number, because Kubernetes can't tell from a name that it isn't root (runAsNonRoot).
USER 1000:1000
EXPOSE 8080 9090
# The ops port listens on loopback unless OPS_HOST says otherwise; the check runs inside the container.
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.OPS_PORT || 9090) + '/healthz', { signal: AbortSignal.timeout(4000) }).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "dist/main.js"]
CMD ["serve", "--config", "/etc/portcullis/config.yaml"]
