# syntax=docker/dockerfile:1

# The runtime below has the glibc of Debian 12, so it is built on the same.
FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
COPY Cargo.toml Cargo.lock ./
COPY src src
# Without the feature sim: no simulator and no demo in the image.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked && \
    cp target/release/proxmox-identity /proxmox-identity

# glibc and the public authorities; no shell, no package manager.
FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /proxmox-identity /usr/local/bin/proxmox-identity
USER 65532:65532
# /metrics, /healthz and /readyz
EXPOSE 8080
ENTRYPOINT ["/usr/local/bin/proxmox-identity"]
CMD ["run"]
