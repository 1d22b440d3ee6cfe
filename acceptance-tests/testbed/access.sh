# shellcheck shell=bash
# Ways to an engine other than its socket: TLS with certificates of both sides, and SSH.

# tls_make: ca.pem, cert.pem and key.pem are the client's, as the Docker command line names them; one certificate serves
# all hosts.
tls_make() {
    local tls=$dir/tls name names=DNS:localhost
    for name in $(host_names); do
        names+=,DNS:$name,IP:$(of_host "$name" address)
    done
    mkdir -m 700 "$tls"
    quietly openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj '/CN=testbed CA' \
        -addext 'keyUsage=critical,keyCertSign' -keyout "$tls/ca-key.pem" -out "$tls/ca.pem"
    tls_certificate server "subjectAltName=$names" extendedKeyUsage=serverAuth
    tls_certificate client extendedKeyUsage=clientAuth
    mv "$tls/client.pem" "$tls/cert.pem"
    mv "$tls/client-key.pem" "$tls/key.pem"
}

# tls_certificate NAME EXTENSION...
tls_certificate() {
    local name=$1
    shift
    quietly openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$name" \
        -keyout "$tls/$name-key.pem" -out "$tls/$name.csr"
    printf '%s\n' "$@" >"$tls/$name.ext"
    quietly openssl x509 -req -in "$tls/$name.csr" -CA "$tls/ca.pem" -CAkey "$tls/ca-key.pem" -CAcreateserial -days 30 \
        -extfile "$tls/$name.ext" -out "$tls/$name.pem"
    rm "$tls/$name.csr" "$tls/$name.ext"
}

tls_options() {
    printf '%s\n' --tlsverify --tlscacert=/run/testbed/tls/ca.pem \
        --tlscert=/run/testbed/tls/server.pem --tlskey=/run/testbed/tls/server-key.pem
}

# ssh_make: a key for the user, one for all hosts, and an `ssh` that knows both.
ssh_make() {
    local ssh=$dir/ssh name
    command_setup --ssh
    mkdir -m 700 "$ssh" "$ssh/bin"
    quietly ssh-keygen -q -t ed25519 -N '' -C testbed -f "$ssh/id"
    quietly ssh-keygen -q -t ed25519 -N '' -C testbed -f "$ssh/host"
    for name in $(host_names); do
        printf 'Host %s\n  HostName %s\n' "$name" "$(of_host "$name" address)"
    done >"$ssh/config"
    cat >>"$ssh/config" <<CONFIG
Host *
  User root
  IdentityFile $ssh/id
  IdentitiesOnly yes
  UserKnownHostsFile $ssh/known_hosts
  StrictHostKeyChecking yes
  BatchMode yes
CONFIG
    for name in $(host_names); do
        printf '%s,%s %s\n' "$name" "$(of_host "$name" address)" "$(cut -d' ' -f1,2 "$ssh/host.pub")"
    done >"$ssh/known_hosts"
    printf '#!/bin/sh\nexec %s -F %q "$@"\n' "$(type -P ssh)" "$ssh/config" >"$ssh/bin/ssh"
    chmod +x "$ssh/bin/ssh"
    cat >"$ssh/sshd_config" <<CONFIG
HostKey /run/testbed/ssh/host
AuthorizedKeysFile /run/testbed/ssh/id.pub
StrictModes no
UsePAM no
PermitRootLogin prohibit-password
PasswordAuthentication no
PidFile none
CONFIG
}

# ssh_start NAME: on a host that is on, where the testbed has SSH.
ssh_start() {
    [[ -d $dir/ssh ]] || return 0
    in_host "$1" sh -c 'mkdir -p /run/sshd && exec /usr/sbin/sshd -f /run/testbed/ssh/sshd_config' ||
        die "the SSH server on $1 did not start"
}
