#!/usr/bin/env bash
# Makes a RabbitMQ server available to the tests, without root and without touching the system.
#
# A RabbitMQ installed by the distribution is used as it is. Otherwise its packages are downloaded
# with apt into a directory of our own and unpacked there: any user may do that, and removing
# .deps/ undoes it. tests/support/rabbitmq.py finds either.
set -euo pipefail

cd "$(dirname "$0")/../.."
deps=$PWD/.deps/rabbitmq
root=$deps/root

server_below() { compgen -G "$1/lib/rabbitmq_server-*/sbin/rabbitmq-server" >/dev/null; }

give_up() {
    echo "RabbitMQ is needed by the tests and $1; install the package rabbitmq-server (Debian," \
        "Ubuntu) so that /usr/lib/rabbitmq exists, and run this again." >&2
    exit 1
}

if server_below /usr/lib/rabbitmq && command -v erl >/dev/null; then
    exit 0
fi
if [ -e "$deps/ready" ] && server_below "$root/usr/lib/rabbitmq"; then
    exit 0
fi
for tool in apt-get dpkg; do
    command -v "$tool" >/dev/null || give_up "$tool, which could download it, is not on this machine"
done

echo "downloading RabbitMQ into .deps/rabbitmq (once)"
rm -rf "$deps"
apt=$deps/apt
mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$root"
# A file and not -o options: only a file can clear the hooks that container images add, which
# would fail without root. The sandbox user could not write here, so root downloads as itself.
cat >"$deps/apt.conf" <<CONF
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Pre-Invoke;
#clear DPkg::Post-Invoke;
#clear DPkg::Pre-Install-Pkgs;
Dir::State "$apt";
Dir::State::lists "$apt/lists";
Dir::State::status "/var/lib/dpkg/status";
Dir::Cache "$apt/cache";
Dir::Log "$apt";
Debug::NoLocking "true";
APT::Sandbox::User "root";
Acquire::Languages "none";
CONF
{
    apt-get -c "$deps/apt.conf" -q update &&
        apt-get -c "$deps/apt.conf" -q install --yes --no-install-recommends --download-only \
            rabbitmq-server
} >"$deps/apt.log" 2>&1 || {
    tail -n 5 "$deps/apt.log" >&2
    give_up "apt could not download it (see .deps/rabbitmq/apt.log)"
}

for package in "$apt"/cache/archives/*.deb; do
    case ${package##*/} in
    libc6_* | libc-bin_*) ;; # another libc beside the running one cannot be mixed in
    *) dpkg -x "$package" "$root" ;;
    esac
done
server_below "$root/usr/lib/rabbitmq" || give_up "its package holds no server where expected"
# Erlang's start script names the place it was packaged for; let it find itself instead.
sed -i 's|^\( *\)ROOTDIR=.*|\1ROOTDIR=$(cd "$(dirname "$0")/.." \&\& pwd)|' \
    "$root/usr/lib/erlang/bin/erl"
rm -rf "$apt" "$deps/apt.conf"
touch "$deps/ready"
