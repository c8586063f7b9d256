#!/bin/sh
# Makes the certificates of these tests anew. They are good for a hundred years, and protect nothing.
set -eu
cd "$(dirname "$0")"
key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1.key.pem" 2>/dev/null; }
root() {
    key "$1"
    openssl req -x509 -new -key "$1.key.pem" -subj "/CN=$2" -days 36500 -out "$1.pem" \
        -addext "basicConstraints=critical,CA:TRUE" -addext "keyUsage=critical,keyCertSign"
}
leaf() {
    key "$1"
    openssl req -new -key "$1.key.pem" -subj "/CN=$1" -out "$1.csr"
    printf '%s\n' "basicConstraints=CA:FALSE" "keyUsage=digitalSignature" "$2" > "$1.ext"
    openssl x509 -req -in "$1.csr" -CA root.pem -CAkey root.key.pem -days 36500 -extfile "$1.ext" -out "$1.pem" 2>/dev/null
    rm "$1.csr" "$1.ext"
}
root root "Tollgate test root"
root other "Another test root"
leaf server "subjectAltName=DNS:localhost"
leaf client "extendedKeyUsage=clientAuth"
leaf renewed "extendedKeyUsage=clientAuth"
rm -f root.srl root.key.pem other.key.pem
