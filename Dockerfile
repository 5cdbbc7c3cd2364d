# One static program on nothing. `make image` builds it with whatever builder is there; image/files lists what is in it.

# Not the slim one: it has no make, which the build of the allocator calls.
# A tag may move. To build from one that cannot: --build-arg RUST=docker.io/library/rust@sha256:…
ARG RUST=docker.io/library/rust:1.95.0-bookworm

FROM ${RUST} AS build
WORKDIR /src
# Before all that changes often.
COPY image/cyclonedx.sh image/
RUN --mount=type=cache,target=/usr/local/cargo/registry image/cyclonedx.sh
COPY Cargo.toml Cargo.lock ./
COPY .cargo .cargo
COPY src src
COPY image image
# Seconds since 1970: the only date in the image.
ARG SOURCE_DATE_EPOCH=0
# Without the feature sim: no simulator and no demo in the image.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target,id=proxmox-identity-target \
    program=$(image/build.sh) && \
    image/sbom.sh /sbom.json && \
    image/root.sh /image "$program" /sbom.json /etc/ssl/certs/ca-certificates.crt

FROM scratch
COPY --from=build /image /
USER 65532:65532
# /metrics, /healthz and /readyz
EXPOSE 8080
ENTRYPOINT ["/usr/local/bin/proxmox-identity"]
CMD ["run"]

ARG VERSION=0.1.0
ARG REVISION=unknown
ARG CREATED=1970-01-01T00:00:00Z
LABEL org.opencontainers.image.title="proxmox-identity" \
      org.opencontainers.image.description="Kubernetes operator for the identity of Proxmox VE" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}"
