# The image of the long-running workers: what `cutback worker` needs, and nothing else. The tests do not build it,
# because they have no container engine: see docs/deploy-aws.md.
FROM python:3.13-slim AS build
WORKDIR /build
COPY requirements-aws.lock pyproject.toml README.md LICENSE NOTICE ./
COPY src ./src
RUN python -m venv /opt/cutback \
    && /opt/cutback/bin/pip install --no-cache-dir --require-hashes --only-binary :all: -r requirements-aws.lock \
    && /opt/cutback/bin/pip install --no-cache-dir hatchling==1.33.0 \
    && /opt/cutback/bin/pip install --no-cache-dir --no-deps --no-build-isolation . \
    && /opt/cutback/bin/pip uninstall -y hatchling

FROM python:3.13-slim
RUN useradd --system --create-home --home-dir /var/lib/cutback cutback
COPY --from=build /opt/cutback /opt/cutback
ENV PATH=/opt/cutback/bin:$PATH CUTBACK_DATA=/var/lib/cutback
USER cutback
WORKDIR /var/lib/cutback
# On SIGTERM, the worker gives its current clip back at once.
ENTRYPOINT ["cutback"]
CMD ["worker"]
