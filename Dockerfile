# The operator's image: one binary on a base image without a shell, run by an unprivileged user.
#   docker build -t punctual.dev/punctual:0.1.0 --build-arg VERSION=0.1.0 --build-arg REVISION="$(git rev-parse HEAD)" .
# The base images are arguments, so that mirrors can be used.
ARG RUST_IMAGE=docker.io/library/rust:1.95-bookworm
ARG BASE_IMAGE=gcr.io/distroless/cc-debian12:nonroot

FROM ${RUST_IMAGE} AS build
WORKDIR /src
COPY . .
# Cache mounts are not part of the image, so the binary is copied out of them.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked --package punctual --bin punctual \
    && cp target/release/punctual /punctual

# Contains glibc, libgcc and CA certificates. Time zone data is in the binary.
FROM ${BASE_IMAGE}
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="punctual" \
      org.opencontainers.image.description="Scheduled tasks for Kubernetes: every slot is accounted for" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /punctual /usr/local/bin/punctual
# Numeric, because the kubelet cannot verify that a user name is not root.
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/usr/local/bin/punctual"]
CMD ["controller"]
