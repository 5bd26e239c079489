#!/bin/sh
# Makes certificates for the servers of one broker: an authority of its own, and a certificate for each name.
#
#   make_certificates.sh FOLDER NAME…     NAME: a host name or an IP address by which clients and other nodes connect
#
# FOLDER gets ca.pem (for nats.root_certificates_file of the services), server.pem and server.key. The key of the authority is
# ca.key: move it off the host. Where ca.key exists it is used again. Needs openssl 1.1.1 or later; calls nobody.
set -eu
umask 077
[ $# -ge 2 ] || { sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 64; }
folder=$1
shift
mkdir -p "$folder"
cd "$folder"

key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1" 2>/dev/null; }

names=
for name in "$@"; do
    case $name in
        *[!0-9.]*) case $name in *:*) kind=IP ;; *) kind=DNS ;; esac ;;
        *) kind=IP ;;
    esac
    names=${names:+$names,}$kind:$name
done

if [ ! -e ca.key ]; then
    key ca.key
    openssl req -x509 -new -key ca.key -days 3650 -subj "/CN=gongkai broker authority" \
        -addext "basicConstraints=critical,CA:TRUE,pathlen:0" -addext "keyUsage=critical,keyCertSign,cRLSign" -out ca.pem
fi
key server.key
openssl req -new -key server.key -subj "/CN=$1" -out server.csr
printf '%s\n' "basicConstraints=critical,CA:FALSE" "keyUsage=critical,digitalSignature" \
    "extendedKeyUsage=serverAuth,clientAuth" "subjectAltName=$names" >server.ext
openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 825 -extfile server.ext -out server.pem 2>/dev/null
rm -f server.csr server.ext
chmod 644 ca.pem server.pem
