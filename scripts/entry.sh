#!/bin/sh
# The inference image's entry point. `docker run IMAGE serve` serves plain HTTP; anything else is for Lambda's own.
if [ "${1-}" = serve ]; then
  exec python3 -m lambda_app.serve
fi
exec /lambda-entrypoint.sh "$@"
