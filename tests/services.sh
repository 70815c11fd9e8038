#!/bin/sh
# What the full test suite needs beside Python: PostgreSQL, Dovecot, Postfix, Java, strace, openssl, gpg, Chromium and SpamAssassin from
# Debian's packages; Apache Kafka (Maven) and medallion (a TAXII server, PyPI, which has pins of its own) in OKTT_SERVICES. Says what to do
# where it cannot.
# The databases and servers themselves are started by the tests, and end with them.
set -eu
here=$(cd "$(dirname "$0")" && pwd)/services
cache=${OKTT_SERVICES:-$HOME/.cache/oktt-services}
mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9

missing=""
command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$missing postgresql"
{ [ -x /usr/sbin/dovecot ] && [ -x /usr/lib/dovecot/imap ]; } || missing="$missing dovecot-imapd"
[ -x /usr/lib/postfix/sbin/master ] || missing="$missing postfix"
command -v java >/dev/null || missing="$missing default-jre-headless"
command -v mvn >/dev/null || missing="$missing maven"
command -v strace >/dev/null || missing="$missing strace"
command -v openssl >/dev/null || missing="$missing openssl"
command -v gpg >/dev/null || missing="$missing gnupg"
command -v chromium >/dev/null || missing="$missing chromium"
command -v spamassassin >/dev/null || missing="$missing spamassassin"
if [ -n "$missing" ]; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    export DEBIAN_FRONTEND=noninteractive
    # Each test run starts servers of its own; Debian's cluster is not needed.
    mkdir -p /etc/postgresql-common
    [ -e /etc/postgresql-common/createcluster.conf ] || echo "create_main_cluster = false" > /etc/postgresql-common/createcluster.conf
    echo "postfix postfix/main_mailer_type select No configuration" | debconf-set-selections
    # shellcheck disable=SC2086 # names of packages
    apt-get update -qq && apt-get install -y -qq --no-install-recommends $missing >/dev/null
  else
    echo "tests of what is missing are skipped; as root: apt-get install$missing" >&2
  fi
fi

# A folder is made under another name first: one that is there is whole.
kafka=$cache/kafka-$(sha256sum "$here/kafka.xml" | cut -c1-12)
if [ ! -d "$kafka" ] && command -v mvn >/dev/null; then
  rm -rf "$kafka.new"
  if mvn -q -B -C -f "$here/kafka.xml" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$kafka.new"; then
    mv "$kafka.new" "$kafka"
  else
    echo "Apache Kafka cannot be fetched from Maven Central: its tests are skipped" >&2
  fi
fi
medallion=$cache/medallion-$(sha256sum "$here/medallion.txt" | cut -c1-12)
if [ ! -d "$medallion" ]; then
  rm -rf "$medallion.new"
  "${PYTHON:-python3}" -m venv "$medallion.new"
  if "$medallion.new/bin/pip" install --quiet --require-hashes -r "$here/medallion.txt"; then
    mv "$medallion.new" "$medallion"
  else
    echo "medallion cannot be installed from PyPI: its tests are skipped" >&2
  fi
fi
