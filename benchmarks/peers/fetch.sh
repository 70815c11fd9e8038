#!/bin/sh
# The programs that `make bench` measures OKTT against, in OKTT_PEERS: IntelMQ with its contact database's queries, OpenTAXII and
# medallion (PyPI, each in an environment of its own) and Redis (Debian's packages, unpacked there; nothing is installed). PostgreSQL
# comes with `make services`. Says what cannot be had, and ends well: the bench goes on without.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cache=${OKTT_PEERS:-$HOME/.cache/oktt-peers}
mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9

# environment NAME LIST [OPTION]: a folder is made under another name first: one that is there is whole.
environment() {
  folder=$cache/$1-$(sha256sum "$2" | cut -c1-12)
  [ ! -d "$folder" ] || return 0
  rm -rf "$folder.new"
  "${PYTHON:-python3}" -m venv "$folder.new"
  # shellcheck disable=SC2086 # an option, or none
  if "$folder.new/bin/pip" install --quiet ${3:-} --require-hashes -r "$2"; then
    rm -rf "$cache/$1"-????????????
    mv "$folder.new" "$folder"
    ln -sfn "$folder" "$cache/$1"
  else
    echo "$1 cannot be installed from PyPI: the bench goes on without it" >&2
  fi
}
# --no-deps: the list is whole, but for what would have to be compiled (psycopg2; psycopg2-binary is the same, built).
environment intelmq "$here/requirements.txt" --no-deps
environment opentaxii "$here/opentaxii.txt"
environment medallion "$here/../../tests/services/medallion.txt"

if [ ! -d "$cache/redis" ] && ! command -v redis-server >/dev/null; then
  rm -rf "$cache/redis.new"
  mkdir -p "$cache/redis.new"
  packages="redis-server redis-tools liblzf1 libjemalloc2 libatomic1"
  # shellcheck disable=SC2086 # names of packages
  if (cd "$cache/redis.new" && command -v apt-get && { apt-get download -q $packages || { apt-get update -q && apt-get download -q $packages; }; }) >/dev/null 2>&1; then
    for package in "$cache"/redis.new/*.deb; do dpkg-deb -x "$package" "$cache/redis.new"; done
    mv "$cache/redis.new" "$cache/redis"
  else
    echo "Redis cannot be fetched from Debian's packages: the bench goes on without IntelMQ" >&2
  fi
fi
