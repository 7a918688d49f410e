#!/usr/bin/env bash
# Usage: unpack_packages.sh DIRECTORY PACKAGE...
#
# Downloads packages of this Debian or Ubuntu, with what they need and this machine lacks, and
# unpacks them into DIRECTORY/root. Nothing is installed, so any user may do it; deleting DIRECTORY
# undoes it. DIRECTORY/ready appears when all is there.
set -euo pipefail

directory=$1
shift
for tool in apt-get dpkg; do
    if ! command -v "$tool" >/dev/null; then
        echo "$tool is not on this machine" >&2
        exit 1
    fi
done

rm -rf "$directory"
mkdir -p "$directory/apt/lists/partial" "$directory/apt/cache/archives/partial" "$directory/root"
directory=$(cd "$directory" && pwd)
apt=$directory/apt
# A file and not -o options: only a file can clear the hooks that container images add, which
# would fail without root. The sandbox user could not write here, so root downloads as itself.
cat >"$apt/apt.conf" <<CONF
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
    apt-get -c "$apt/apt.conf" -q update
    apt-get -c "$apt/apt.conf" -q install --yes --no-install-recommends --reinstall --download-only "$@"
} >"$directory/apt.log" 2>&1 || {
    tail -n 5 "$directory/apt.log" >&2
    echo "apt could not download $* (see $directory/apt.log)" >&2
    exit 1
}

for package in "$apt"/cache/archives/*.deb; do
    case ${package##*/} in
    libc6_* | libc-bin_*) ;; # another libc beside the running one cannot be mixed in
    *) dpkg -x "$package" "$directory/root" ;;
    esac
done
rm -rf "$apt"
touch "$directory/ready"
