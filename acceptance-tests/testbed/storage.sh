# shellcheck shell=bash
# What registries keep their images in when they share a store, and what they remember of it together: an object store with
# an S3 API, and a Redis. Both listen on the machine's address in the testbed's network, which every host and every
# container reaches, and live until the testbed goes down.
#
# The object store is Swift of Debian (object_store.py): a program that stores for real, and that has everything of S3 that
# Distribution's driver calls: uploads in parts, copies of ranges into a part, lists of unfinished uploads, deletes of
# many. Its own API, which Distribution 2 has a driver for as well, is there too. Ceph would need four more kinds of
# servers; `moto` only imitates.

storage_packages=(swift-proxy swift-object swift-container swift-account memcached redis-server)

# storage_root: the folder with their programs, which fit to this machine's Python.
storage_root() {
    local made_of
    made_of=$(printf '%s ' "${storage_packages[@]}" "$(/usr/bin/python3 --version)" | sha256sum | cut -c1-12)
    printf '%s/storage-%s' "$cache" "$made_of"
}

# storage_make: unpacks the packages, with all that they need and this machine lacks. Nothing is installed: these servers
# are to run where a testbed is and nowhere else.
storage_make() {
    local root work package
    root=$(storage_root)
    [[ ! -d $root ]] || return 0
    command -v apt-get >/dev/null || die "there is no apt-get here to fetch ${storage_packages[*]} with"
    for package in "${storage_packages[@]}"; do packages_known "$package"; done
    say "unpacking ${storage_packages[*]}"
    mkdir -p "$cache"
    work=$(mktemp -d "$cache/storage.XXXXXX")
    chmod 755 "$work"
    mkdir -p "$work"/{debs/partial,root}
    quietly apt-get install --yes --no-install-recommends --download-only -o Dir::Cache::archives="$work/debs" \
        -o APT::Sandbox::User=root -o DPkg::Lock::Timeout=120 "${storage_packages[@]}"
    for package in "$work"/debs/*.deb; do
        dpkg-deb --extract "$package" "$work/root"
    done
    # Another testbed may have made it meanwhile.
    mv --no-target-directory "$work/root" "$root" 2>/dev/null || true
    rm -rf -- "$work"
}

# storage_exec COMMAND...: becomes it, with the programs of those packages, and with no setting of the person who runs this.
storage_exec() {
    local root
    root=$(storage_root)
    exec /usr/bin/env -i HOME=/nonexistent LANG=C.UTF-8 PATH="$root/usr/bin:/usr/sbin:/usr/bin:/sbin:/bin" \
        PYTHONPATH="$root/usr/lib/python3/dist-packages" LD_LIBRARY_PATH="$(echo "$root"/usr/lib/*-linux-gnu)" "$@"
}

storage_address() { printf '10.213.%s.1' "$(<"$dir/number")"; }

# storage_begin DIR NAME: makes the folder of a server; fails if it runs already. Only one at a time is begun.
storage_begin() {
    use_running "$1"
    need_root
    exec {lock}<"$dir/number"
    flock "$lock"
    storage_make
    home=$dir/$2
    process_of "$home/process" >/dev/null && return 1
    mkdir -p "$home"
    [[ -f $home/password ]] || openssl rand -hex 20 >"$home/password"
}

# storage_started WHAT COMMAND...: waits until COMMAND succeeds; what the server said is shown if it ends before that.
storage_started() {
    local what=$1
    shift
    if ! wait_until 60 "$what" "$@" || gone "$home/process"; then
        tail -20 "$home/log" >&2
        die "$what did not start"
    fi
}

command_s3() {
    local home endpoint
    if storage_begin "${1:-}" object-store; then
        rm -f "$home/process"
        storage_exec setsid unshare --pid --fork --kill-child -- /usr/bin/python3 "$here/object_store.py" "$home" \
            "$(storage_address)" testbed:registry {lock}<&- </dev/null >"$home/log" 2>&1 &
        remember_process "$home/starter" "$!"
        disown
        storage_started "the object store" object_store_answers_or_ended
    fi
    endpoint=http://$(storage_address):8080
    shift
    local bucket
    for bucket; do
        quietly object_store_ask "/$bucket" --request PUT --output /dev/null
    done
    printf 'export AWS_ENDPOINT_URL=%q\n' "$endpoint"
    printf 'export AWS_REGION=us-east-1\nexport AWS_ACCESS_KEY_ID=testbed:registry\n'
    printf 'export AWS_SECRET_ACCESS_KEY=%q\n' "$(<"$home/password")"
}

# object_store_ask PATH OPTION...: asks its own API, in which a bucket is a container.
object_store_ask() {
    local path=$1 base token
    shift
    base=http://$(storage_address):8080
    token=$(curl --silent --show-error --fail --noproxy '*' --dump-header - --output /dev/null "$base/auth/v1.0" \
        --header 'X-Storage-User: testbed:registry' --header "X-Storage-Pass: $(<"$dir/object-store/password")" |
        sed -n 's/^X-Auth-Token: \([^\r]*\)\r*$/\1/p')
    curl --silent --show-error --fail --noproxy '*' --header "X-Auth-Token: $token" "$@" "$base/v1/AUTH_testbed$path"
}

# Each of its four servers: that of the accounts answers the first request of all, and says nothing of the others.
object_store_answers() {
    local port
    for port in 6200 6201 6202; do
        curl --silent --noproxy '*' --output /dev/null "http://$(storage_address):$port/" || return
    done
    object_store_ask / --output /dev/null 2>/dev/null
}
object_store_answers_or_ended() { gone "$home/starter" || { [[ -s $home/process ]] && object_store_answers; }; }

command_objects() {
    use_running "${1:-}"
    [[ -n ${2:-} ]] || die "the objects of which bucket?"
    object_store_ask "/$2"
}

command_redis() {
    local home
    if storage_begin "${1:-}" redis; then
        cat >"$home/redis.conf" <<CONFIG
bind $(storage_address)
port 6379
requirepass $(<"$home/password")
dir $home
save ""
maxmemory 64mb
maxmemory-policy allkeys-lru
CONFIG
        storage_exec setsid redis-server "$home/redis.conf" {lock}<&- </dev/null >"$home/log" 2>&1 &
        remember_process "$home/process" "$!"
        disown
        storage_started "Redis" redis_answers_or_ended
    fi
    shift
    if (($#)); then
        redis_ask "$@"
    else
        printf 'export REDIS_ADDRESS=%s:6379\nexport REDIS_PASSWORD=%s\n' "$(storage_address)" "$(<"$home/password")"
    fi
}

redis_ask() { (storage_exec REDISCLI_AUTH="$(<"$dir/redis/password")" redis-cli -h "$(storage_address)" "$@"); }
redis_answers() { [[ $(redis_ask ping 2>/dev/null) == PONG ]]; }
redis_answers_or_ended() { gone "$home/process" || redis_answers; }

# storage_down: ends what runs of it.
storage_down() {
    end_process "$dir/object-store/starter"
    end_process "$dir/object-store/process"
    end_process "$dir/redis/process"
}
