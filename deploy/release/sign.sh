#!/bin/sh
# Lists the artefacts of a folder in SHA256SUMS, and signs the list with the releaser's key.
#
#   sign.sh FOLDER [KEY]      KEY: a private key in PEM, EC (P-256) or RSA: what `openssl dgst` of 2013 verifies too.
#                             A new one: openssl ecparam -genkey -name prime256v1 -noout -out release.key
#
# FOLDER gets SHA256SUMS, SHA256SUMS.sig and the public key, gongkai-release.pem. To verify, with a public key that came by
# another way than the files:
#
#   openssl dgst -sha256 -verify gongkai-release.pem -signature SHA256SUMS.sig SHA256SUMS && sha256sum --check SHA256SUMS
set -eu
umask 022
[ $# -ge 1 ] || { sed -n '2,10s/^# \{0,1\}//p' "$0" >&2; exit 64; }
cd "$1"
key=${2:-}
rm -f SHA256SUMS SHA256SUMS.sig gongkai-release.pem
sums=$(find . -type f | sed 's|^\./||' | LC_ALL=C sort | xargs sha256sum)
printf '%s\n' "$sums" >SHA256SUMS
if [ -z "$key" ]; then
    echo "sign.sh: UNSIGNED: no key was given, so nobody can tell who made these files" >&2
    exit 0
fi
openssl dgst -sha256 -sign "$key" -out SHA256SUMS.sig SHA256SUMS
openssl pkey -in "$key" -pubout -out gongkai-release.pem
openssl dgst -sha256 -verify gongkai-release.pem -signature SHA256SUMS.sig SHA256SUMS >&2
echo "sign.sh: signed; the public key has the SHA-256 $(openssl pkey -pubin -in gongkai-release.pem -outform DER | sha256sum | cut -d ' ' -f 1)" >&2
