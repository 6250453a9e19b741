# The image: one program (npm run sea) and a small init, nothing else of ours, no shell.
#
#   docker build -t pannier:0.1.0 --build-arg VERSION=0.1.0 .
#
# What is copied carries the time SOURCE_DATE_EPOCH, so that with BuildKit's rewrite-timestamp, or buildah's --timestamp,
# the same input gives the same layers.

# Any Debian with npm. The Node that ends up in the image is the one of package-lock.json.
ARG BUILD_IMAGE=docker.io/library/node:24-trixie
# Any image with glibc and libstdc++; this one has no shell. Pin it by digest.
ARG BASE_IMAGE=gcr.io/distroless/cc-debian13:nonroot

FROM ${BUILD_IMAGE} AS build
ARG SOURCE_DATE_EPOCH=0
WORKDIR /src
RUN ["apt-get", "update"]
RUN ["apt-get", "install", "--yes", "--no-install-recommends", "binutils", "tini"]
COPY package.json package-lock.json ./
RUN ["npm", "ci", "--no-audit", "--no-fund"]
COPY LICENSE ./
COPY scripts/ scripts/
COPY src/ src/
COPY templates/ templates/
RUN ["npm", "run", "image-files", "--", "/image"]

FROM ${BASE_IMAGE}
ARG BASE_IMAGE
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Pannier" \
      org.opencontainers.image.description="Fetches secrets, keeps them fresh, publishes them atomically and makes the application reload." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="${BASE_IMAGE}"
COPY --from=build /image/ /
ENV PANNIER_CONFIG=/etc/pannier
USER 65532:65532
# It reaps what commands leave behind; -s for pods that share their processes, where it is not the first one.
ENTRYPOINT ["/usr/bin/tini", "-s", "--", "/usr/bin/pannier"]
CMD ["run"]
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD ["/usr/bin/pannier", "probe", "live"]
