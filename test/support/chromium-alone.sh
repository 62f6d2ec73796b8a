#!/bin/sh
# What Playwright starts as the browser: chromium-alone.ts in a network namespace of its own.
exec unshare --net -- node "$(dirname "$0")/chromium-alone.ts" "$@"
