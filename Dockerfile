# The bot as it is served: without the sandbox and its dependencies.
#   docker build -t quartermaster .
#   docker run --env-file settings.env -p 8000:8000 quartermaster
ARG PYTHON=3.13-slim-bookworm

FROM python:${PYTHON} AS dependencies
COPY requirements.txt /tmp/requirements.txt
RUN python -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --require-hashes --only-binary :all: \
        --requirement /tmp/requirements.txt \
    && /opt/venv/bin/pip uninstall --yes pip

FROM python:${PYTHON}
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOST=0.0.0.0 \
    PORT=8000 \
    VAR_DIR=/var/lib/quartermaster
RUN install -d -o 10001 -g 10001 /var/lib/quartermaster
COPY --from=dependencies /opt/venv /opt/venv
WORKDIR /app
COPY . .
# A number, so that Kubernetes can see that it is not root.
USER 10001:10001
VOLUME /var/lib/quartermaster
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/healthz', timeout=2)"]
CMD ["python", "-m", "bot", "serve"]
