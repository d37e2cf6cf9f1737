FROM python:3.13-slim-bookworm AS build
WORKDIR /src
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
COPY requirements/build.txt requirements/runtime.txt requirements/
RUN python -m venv /opt/build \
    && /opt/build/bin/pip install --quiet --require-hashes --only-binary :all: -r requirements/build.txt \
    && python -m venv --without-pip /opt/rma-bridge \
    && pip --python /opt/rma-bridge/bin/python install --quiet --require-hashes --only-binary :all: -r requirements/runtime.txt
COPY pyproject.toml README.md LICENSE ./
COPY bridge bridge
COPY schemas schemas
RUN /opt/build/bin/pip wheel --quiet --no-deps --no-index --no-build-isolation --wheel-dir dist . \
    && pip --python /opt/rma-bridge/bin/python install --quiet --no-deps --no-index dist/*.whl

FROM python:3.13-slim-bookworm
LABEL org.opencontainers.image.title="rma-bridge" \
      org.opencontainers.image.description="Optoro returns webhooks to Avro records on Kafka" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /opt/rma-bridge /opt/rma-bridge
ENV PATH=/opt/rma-bridge/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 \
    BRIDGE_LISTENERS=http://0.0.0.0:8083
USER 65532:65532
WORKDIR /tmp
EXPOSE 8080 8083
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8083/livez', timeout=4)"]
ENTRYPOINT ["rma-bridge"]
CMD ["run"]
