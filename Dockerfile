# The program alone: servers come from docker-compose.yml, or from wherever SHOP_DATABASE_URL and SHOP_REDIS_URL say.
FROM python:3.12-slim

ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONPATH=/app \
    SHOP_ENVIRONMENT=production \
    SHOP_HOST=0.0.0.0 \
    SHOP_DATA_DIR=/data

RUN useradd --system --uid 10001 --home-dir /nonexistent --shell /usr/sbin/nologin shop \
    && install -d -o shop -g shop /data

# before the source: the layer is built again only when a version changes
COPY requirements.txt /tmp/
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes -r /tmp/requirements.txt

WORKDIR /app
COPY shop shop
COPY catalog catalog
COPY orders orders
COPY workers workers
RUN python -m compileall -q .

USER shop
VOLUME /data
EXPOSE 8000
ENTRYPOINT ["python", "-m", "shop.cli"]
CMD ["serve"]
