# shellcheck shell=bash
# A whole testbed: hosts that are members of one Swarm.

docker_on() {
    local name=$1
    shift
    docker --host "unix://$dir/$name.sock" "$@"
}

command_up() {
    need_root
    use "${1:-}"
    shift
    local managers=1 release=own owner='' tls=no ssh=no strict=no hosts=()
    while (($#)); do
        case $1 in
        --engine) release=$2 && shift 2 ;;
        --managers) managers=$2 && shift 2 ;;
        --no-swarm) managers=0 && shift ;;
        --tls) tls=yes && shift ;;
        --ssh) ssh=yes && shift ;;
        --strict) strict=yes && shift ;;
        --owner) owner=$2 && shift 2 ;;
        -*) die "up: unknown option $1" ;;
        *) hosts+=("$1") && shift ;;
        esac
    done
    ((${#hosts[@]} > 0)) || die "up: name at least one host"
    ((${#hosts[@]} <= 200)) || die "up: at most 200 hosts"
    if [[ -e $dir ]]; then
        ! command_status "$dir" >/dev/null 2>&1 || die "$dir: this testbed runs already; 'testbed down' ends it"
        command_down "$dir"
    fi

    images_make
    # What is half made is taken down again, whichever way this ends before its time.
    trap 'up_failed' EXIT
    trap 'exit 130' INT TERM HUP
    mkdir -p "$dir/hosts" "$dir/shared"
    printf '%08x\n' "$SRANDOM" >"$dir/id"
    network_up
    plan_hosts "$release" "$managers" "${hosts[@]}"
    [[ $tls == no ]] || tls_make
    [[ $ssh == no ]] || ssh_make
    [[ $strict == no ]] || : >"$dir/strict"
    each_host host_ready
    ((managers == 0)) || swarm_form
    if [[ -n $owner ]]; then
        setsid "$here/testbed" watch "$dir" "$owner" </dev/null >/dev/null 2>&1 &
        remember_process "$dir/watch" "$!"
        disown
    fi
    trap - EXIT INT TERM HUP
}

up_failed() {
    trap - EXIT
    jobs -p | xargs --no-run-if-empty kill 2>/dev/null || true
    wait
    command_down "$dir"
    exit 1
}

# plan_hosts RELEASE MANAGERS NAME[@RELEASE]...: writes down what each host shall be.
plan_hosts() {
    local release=$1 managers=$2 index=0 spec home
    shift 2
    for spec; do
        index=$((index + 1))
        home=$dir/hosts/${spec%@*}
        [[ ${spec%@*} =~ ^[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?$ ]] || die "up: '${spec%@*}' is no host name of 1 to 22 letters, digits and dashes"
        [[ ! -e $home ]] || die "up: two hosts are called ${spec%@*}"
        mkdir "$home"
        echo "$index" >"$home/index"
        echo "10.213.$number.$((index + 10))" >"$home/address"
        if [[ $spec == *@* ]]; then echo "${spec#*@}"; else echo "$release"; fi >"$home/release"
        if ((managers == 0)); then echo none; elif ((index <= managers)); then echo manager; else echo worker; fi >"$home/role"
        root_make "$(<"$home/release")"
    done
    hosts_file >"$dir/etc-hosts"
}

# each_host COMMAND: runs it for every host at the same time.
each_host() {
    local name jobs=() failed=0
    for name in $(host_names); do
        "$1" "$name" &
        jobs+=($!)
    done
    for job in "${jobs[@]}"; do
        wait "$job" || failed=1
    done
    return "$failed"
}

# host_ready NAME: switched on, its engine answering, with all images.
host_ready() {
    host_on "$1"
    engine_start "$1"
    images_load "$1"
}

# swarm_form: the first manager founds the Swarm, the others join at the same time.
swarm_form() {
    local first
    first=$(host_names | head -1)
    docker_on "$first" swarm init --advertise-addr "$(of_host "$first" address)" >/dev/null
    each_host swarm_join
}

swarm_join() {
    local first token
    first=$(host_names | head -1)
    [[ $1 != "$first" ]] || return 0
    token=$(docker_on "$first" swarm join-token --quiet "$(of_host "$1" role)")
    # The managers of a Swarm change one at a time, so one that comes together with another may have to ask again.
    if ! wait_until 30 "join of $1" swarm_joined "$1" "$token" "$(of_host "$first" address):2377"; then
        cat "$dir/hosts/$1/join.log" >&2
        return 1
    fi
}

swarm_joined() {
    docker_on "$1" swarm join --advertise-addr "$(of_host "$1" address)" --token "$2" "$3" >"$dir/hosts/$1/join.log" 2>&1
}

command_down() {
    need_root
    use "${1:-}"
    [[ -e $dir ]] || return 0
    [[ -d $dir/hosts ]] || die "$dir is no testbed, so it is left alone"
    local name number starters=()
    [[ ${watching:-} == "$dir" ]] || end_process "$dir/watch"
    # Everything of a host ends with its first process, and its data is thrown away: no need to ask politely.
    for name in $(host_names); do
        starters+=("$(cat "$dir/hosts/$name/starter" 2>/dev/null)")
        host_off "$name"
    done
    storage_down
    [[ ! -s $dir/id ]] || cgroups_remove
    network_down
    # They are children of this machine's first process, which may take a moment to notice.
    wait_until 3 "clearing away of ended processes" cleared_away "${starters[@]}" || true
    rm -rf --one-file-system -- "$dir"
}

# cleared_away "PID START"...: nothing is left of these processes, not even an entry that waits for its parent.
cleared_away() {
    local one stat
    for one; do
        { read -r stat <"/proc/${one% *}/stat"; } 2>/dev/null || continue
        # shellcheck disable=SC2086
        set -- ${stat##*) }
        [[ ${20} != "${one#* }" ]] || return 1
    done
}

# command_watch DIR PID: takes the testbed down once the process PID is gone.
command_watch() {
    use "$1"
    local start watching=$dir
    start=$(start_of "$2") || start=none
    while [[ -d $dir && $(start_of "$2") == "$start" ]]; do
        sleep 1
    done
    [[ ! -d $dir ]] || command_down "$dir"
}

command_status() {
    use_running "${1:-}"
    local name state failed=0
    for name in $(host_names); do
        state=up
        if ! host_is_on "$name"; then state=off; elif ! engine_answers "$name"; then state=stopped; fi
        [[ $state == up ]] || failed=1
        printf '%s %s %s %s\n' "$name" "$(of_host "$name" address)" "$(of_host "$name" role)" "$state"
    done
    return "$failed"
}

command_env() {
    use_running "${1:-}"
    local name
    echo 'unset DOCKER_CONTEXT DOCKER_TLS_VERIFY DOCKER_CERT_PATH DOCKER_API_VERSION'
    printf 'export DOCKER_HOST=%q\n' "unix://$dir/$(host_names | head -1).sock"
    printf 'export TESTBED=%q\n' "$dir"
    printf 'export TESTBED_HOSTS=%q\n' "$(host_names | paste -sd ' ')"
    for name in $(host_names); do
        printf 'export TESTBED_ADDRESS_%s=%q\n' "${name//-/_}" "$(of_host "$name" address)"
    done
}
