#!/usr/bin/env bash
# Makes a RabbitMQ server available to the tests, without root and without touching the system.
#
# A RabbitMQ installed by the distribution is used as it is. Otherwise its packages are unpacked
# below .deps/; tests/support/rabbitmq.py finds either.
set -euo pipefail

cd "$(dirname "$0")/../.."
deps=.deps/rabbitmq

server_below() { compgen -G "$1/lib/rabbitmq_server-*/sbin/rabbitmq-server" >/dev/null; }

if server_below /usr/lib/rabbitmq && command -v erl >/dev/null; then
    exit 0
fi
if [ -e "$deps/patched" ] && server_below "$deps/root/usr/lib/rabbitmq"; then
    exit 0
fi

echo "downloading RabbitMQ into $deps (once)"
if ! bash deploy/unpack_packages.sh "$deps" rabbitmq-server ||
    ! server_below "$deps/root/usr/lib/rabbitmq"; then
    echo "RabbitMQ, which the tests need, could not be downloaded; install the package" \
        "rabbitmq-server (Debian, Ubuntu) so that /usr/lib/rabbitmq exists." >&2
    exit 1
fi
# Erlang's start script names the place it was packaged for; let it find itself instead.
sed -i 's|^\( *\)ROOTDIR=.*|\1ROOTDIR=$(cd "$(dirname "$0")/.." \&\& pwd)|' \
    "$deps/root/usr/lib/erlang/bin/erl"
touch "$deps/patched"
