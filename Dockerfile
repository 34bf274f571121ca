# Long-running workers: what `cutback worker` needs, and nothing else. tests/aws/test_image.py runs these steps in a
# fresh Debian; no container engine is needed for that.
FROM python:3.13-slim AS build
WORKDIR /build
COPY requirements.lock requirements-image.lock pyproject.toml README.md LICENSE NOTICE ./
COPY src ./src
# The build backend comes from a lock as well, into an environment of its own, and stays in this stage. So does the cache.
# hadolint ignore=DL3042
RUN python -m venv /opt/build \
    && /opt/build/bin/pip install --require-hashes --only-binary :all: -r requirements.lock \
    && /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /opt/wheels . \
    && python -m venv /opt/cutback \
    && /opt/cutback/bin/pip install --require-hashes --only-binary :all: -r requirements-image.lock \
    && /opt/cutback/bin/pip install --no-deps /opt/wheels/*.whl

FROM python:3.13-slim
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/cutback cutback
COPY --from=build /opt/cutback /opt/cutback
ENV PATH=/opt/cutback/bin:$PATH CUTBACK_DATA=/var/lib/cutback
USER 10001
WORKDIR /var/lib/cutback
# On SIGTERM, the worker gives its current clip back at once.
ENTRYPOINT ["cutback"]
CMD ["worker"]
