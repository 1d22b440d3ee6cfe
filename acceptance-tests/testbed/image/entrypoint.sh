#!/bin/sh
# A configuration file alone means to serve it, a command of the registry is passed to the registry, and all else is run
# as it stands: the rule of the registry's official image, which services in the wild rely on.
set -e
case "$1" in
*.yml | *.yaml) set -- registry serve "$@" ;;
serve | garbage-collect | help | -*) set -- registry "$@" ;;
esac
exec "$@"
