# shellcheck shell=bash
# The steps of `up`, and how their progress is shown.

fail() {
    printf '%s\n' "$*" >&2
    exit 1
}

# step WHAT COMMAND...: one line that tells what is being done and, in the end, how long it took. What the command says goes to a
# log, which is shown if it fails.
step() {
    local what=$1 log started status=0
    shift
    log=$state/log/${what//[^a-z0-9]/-}.log
    mkdir -p "$state/log"
    started=${EPOCHREALTIME/./}
    printf '  %-52s' "$what"
    # In a process of its own, where `set -e` holds. (It would not in the condition of an `if`.)
    set +e
    (
        set -e
        "$@"
    ) >"$log" 2>&1 </dev/null
    status=$?
    set -e
    if ((status)); then
        printf 'failed\n\n' && cat "$log" && printf '\n'
        fail "The step '$what' failed; what it said is above. '$here/down' removes what there is so far."
    fi
    local tenths=$(((${EPOCHREALTIME/./} - started) / 100000))
    printf '%4d.%d s\n' $((tenths / 10)) $((tenths % 10))
}

install_packages() {
    if ((EUID == 0)); then "$testbed" setup --build; fi
    command -v cargo || fail "There is no Rust here: install it with rustup, or from Debian 14 on with 'apt-get install cargo'."
}

build_provider() {
    cargo build --release --locked --manifest-path "$root/Cargo.toml"
    install_provider "${CARGO_TARGET_DIR:-$root/target}/release/terraform-provider-swarm"
}

# install_provider BINARY: lays it out as a mirror for `terraform init`. A new build has another checksum than the lock file
# knows, which is therefore written again.
install_provider() {
    local version platform place
    version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$root/Cargo.toml" | head -1)
    case $(uname -m) in
    x86_64) platform=linux_amd64 ;;
    aarch64) platform=linux_arm64 ;;
    *) fail "Terraform has no name here for the platform $(uname -m)." ;;
    esac
    place=$state/mirror/registry.terraform.io/localhub/swarm/$version/$platform/terraform-provider-swarm_v$version
    if ! cmp --silent "$1" "$place"; then
        rm -rf -- "$state/mirror" "$here/.terraform" "$here/.terraform.lock.hcl"
        install -D "$1" "$place"
    fi
    cat >"$state/terraform.rc" <<RC
# The provider comes from its build, all others from where they always do.
provider_installation {
  filesystem_mirror {
    path    = "$state/mirror"
    include = ["localhub/swarm"]
  }
  direct {
    exclude = ["localhub/swarm"]
  }
}
RC
}

find_terraform() {
    command -v terraform || [[ -x $state/bin/terraform ]] || "$testbed" terraform 1.11 "$state/bin/terraform"
}

# start_hosts: machines with an Engine each and nothing else. The Swarm is Terraform's to make.
start_hosts() {
    local name role hosts=
    ! "$testbed" status "$swarm" || return 0
    "$testbed" up "$swarm" --no-swarm hubmgr hubworker01 hubworker02
    # What Terraform remembers was on other hosts.
    rm -f "$here"/terraform.tfstate*
    "$testbed" alias "$swarm" "$hub" hubworker01
    for name in hubmgr hubworker01 hubworker02; do
        if [[ $name == hubmgr ]]; then role=manager; else role=worker; fi
        hosts+=$(printf ', "%s": {"engine": "unix://%s", "address": "%s", "role": "%s"}' \
            "$name" "$swarm/$name.sock" "$(<"$swarm/hosts/$name/address")" "$role")
    done
    "$testbed" env "$swarm" >"$state/swarm.env"
    cat >>"$state/swarm.env" <<ENV
export TF_VAR_hosts='{${hosts#, }}'
export TF_VAR_registry_nodes='["hubworker01"]'
export TF_VAR_node_address=$(<"$swarm/hosts/hubworker01/address")
ENV
}

# find_swarm: the registry's node of a Swarm of yours is its first worker, or the manager if there is none.
find_swarm() {
    local node name
    export DOCKER_HOST=$docker_host
    node=$(docker node ls --filter role=worker --format '{{.ID}}' | head -1)
    [[ -n $node ]] || node=self
    {
        printf 'export DOCKER_HOST=%q\n' "$docker_host"
        for name in DOCKER_TLS_VERIFY DOCKER_CERT_PATH; do
            [[ -z ${!name:-} ]] || printf 'export %s=%q\n' "$name" "${!name}"
        done
        docker node inspect --format "export TF_VAR_registry_nodes='[\"{{.Description.Hostname}}\"]'
export TF_VAR_node_address={{.Status.Addr}}" "$node"
    } >"$state/swarm.env"
}

make_certificates() {
    local address
    # shellcheck source=/dev/null
    address=$(source "$state/swarm.env" && echo "$TF_VAR_node_address")
    # Good for another week, and for this node?
    if openssl x509 -in "$certs/localhub.crt" -noout -checkend 604800 && [[ $(<"$certs/address") == "$address" ]]; then
        return
    fi
    mkdir -p "$certs"
    chmod 700 "$certs"
    cd "$certs"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 365 -subj '/CN=localhub CA' \
        -addext 'basicConstraints=critical,CA:TRUE' -addext 'keyUsage=critical,keyCertSign,cRLSign' \
        -keyout ca.key -out ca.crt
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$hub" -keyout localhub.key -out localhub.csr
    # The address is in it too, since that is how `wait_for` reaches the registry.
    openssl x509 -req -in localhub.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 90 -out localhub.crt -extfile <(
        printf '%s\n' "subjectAltName=DNS:$hub,IP:$address" 'basicConstraints=critical,CA:FALSE' \
            'keyUsage=critical,digitalSignature' 'extendedKeyUsage=serverAuth'
    )
    # The server's own certificate comes first in its file, then the one that signed it.
    cat ca.crt >>localhub.crt
    echo "$address" >address
    rm -f localhub.csr ca.srl
}

# write_env: what a shell needs to work on this Swarm with this build. Write-only values came with Terraform 1.11.
write_env() {
    local terraform=terraform minor
    [[ ! -x $state/bin/terraform ]] || terraform=$state/bin/terraform
    minor=$(CHECKPOINT_DISABLE=1 "$terraform" version | sed -n '1s/^Terraform v1\.\([0-9]*\).*/\1/p')
    {
        cat "$state/swarm.env"
        printf 'export TF_CLI_CONFIG_FILE=%q\nexport CHECKPOINT_DISABLE=1\n' "$state/terraform.rc"
        [[ ! -x $state/bin/terraform ]] || printf 'case :$PATH: in *:%q:*) ;; *) export PATH=%q:$PATH ;; esac\n' "$state/bin" "$state/bin"
        if ((minor >= 11)); then echo 'export TF_VAR_write_only=true'; else echo 'export TF_VAR_write_only=false'; fi
    } >"$state/env"
}

terraform_here() {
    local command=$1
    shift
    terraform -chdir="$here" "$command" -input=false -no-color "$@"
}

initialise() { [[ -f $here/.terraform.lock.hcl ]] || terraform_here init; }

# trust_registry HOST: gives the CA to the host's engine, as an administrator of it does.
trust_registry() {
    "$testbed" exec "$swarm" "$1" sh -c "mkdir -p /etc/docker/certs.d/$hub && cat >/etc/docker/certs.d/$hub/ca.crt" <"$certs/ca.crt"
}

# push_image: one that no other host has, so that what is pulled there comes from the registry.
push_image() {
    trust_registry hubmgr
    "$testbed" exec "$swarm" hubmgr sh -e -c '
        docker rm --force hello
        docker run --name hello busybox:1 sh -c "echo from \"\$1\" at \"\$(date)\" >/hello" sh "$(hostname)"
        docker commit --change "CMD [\"cat\", \"/hello\"]" hello "$1/hello:1"
        docker rm hello
        docker push "$1/hello:1"' sh "$hub"
}

pull_image() {
    trust_registry hubworker02
    "$testbed" exec "$swarm" hubworker02 docker image rm --force "$hub/hello:1"
    "$testbed" exec "$swarm" hubworker02 docker pull "$hub/hello:1"
    "$testbed" exec "$swarm" hubworker02 docker run --rm "$hub/hello:1"
}

ask_registry() {
    curl --silent --show-error --fail --retry 5 --retry-connrefused --cacert "$certs/ca.crt" \
        --resolve "$hub:443:$TF_VAR_node_address" "https://$hub/v2/"
}

look_around() {
    local folder=${here#"$PWD/"}
    cat <<TEXT

The registry serves at https://$hub (on ${TF_VAR_registry_nodes//[^a-z0-9.-]/}, $TF_VAR_node_address). Look around:

  source $folder/.swarm/env
  docker node ls
  docker service ps registry
  terraform -chdir=$folder plan
  docker service scale registry=0      # something to heal: plan and apply again
TEXT
    [[ -n $docker_host ]] || cat <<TEXT
  ${testbed#"$PWD/"} exec $folder/.swarm/swarm hubworker02 docker pull $hub/hello:1
TEXT
    cat <<TEXT

  $folder/down                    # removes all of it
TEXT
}
