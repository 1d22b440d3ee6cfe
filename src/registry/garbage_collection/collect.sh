# What runs in a container that is like those of the registry: the same image, environment, files and mounts.
#
# Arguments: what to do (check, dry-run or collect), the registry's program, its configuration file (may be empty), the
# folders that are mounted (one a line), redis as `host:port` (may be empty), and the options of the collection.
# Beside that it reads nothing but the registry's own environment, and /run/secrets/garbage-collection-redis.
#
# Whatever the provider is to understand is a line that begins with `::`.
set -u
task=$1 program=$2 config=$3 mounted=$4 redis=$5
shift 5

say() { printf '::%s\n' "$*"; }
refuse() {
    say "refused $*"
    exit 3
}

# setting NAME: the first value of a key of the configuration file, whose comments do not count. It is good enough for
# what is asked here, keys that mean one thing wherever they stand.
setting() {
    sed -e 's/^#.*//' -e 's/[[:space:]]#.*//' "$config" |
        sed -nE "s/.*(^|[^[:alnum:]_-])\"?$1\"?[[:space:]]*:[[:space:]]*[\"']?([^],}\"'[:space:]]*).*/\2/p" | head -n 1
}
has() { sed -e 's/^#.*//' -e 's/[[:space:]]#.*//' "$config" | grep -Eq "(^|[^[:alnum:]_-])\"?$1\"?[[:space:]]*:"; }

for found in "${REGISTRY_CONFIGURATION_PATH:-}" /etc/distribution/config.yml /etc/docker/registry/config.yml; do
    if [ -z "$config" ] && [ -f "$found" ]; then config=$found; fi
done
[ -r "$config" ] || refuse "configuration: the configuration file $config cannot be read in the container"
command -v "$program" >/dev/null || refuse "program: the image has no program $program"
for needed in awk find grep mktemp sed stat wget xargs; do
    command -v "$needed" >/dev/null || refuse "program: the image has no $needed, which is needed to collect safely"
done

# Where the images are; nothing if it is no file system.
root=
# A word, or YAML that begins with it.
driver=$(printf '%s' "${REGISTRY_STORAGE:-}" | sed -nE '1s/^[^a-z0-9]*([a-z0-9]+).*/\1/p')
if [ -n "${REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY:-}" ]; then
    root=$REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY
elif [ "$driver" = filesystem ] || { [ -z "$driver" ] && has filesystem; }; then
    root=$(setting rootdirectory)
    root=${root:-/var/lib/registry}
elif [ "$driver" = inmemory ] || { [ -z "$driver" ] && has inmemory; }; then
    refuse "storage: the images are in the memory of each task"
fi
root=${root%/}

# is_mounted FOLDER: whether it is in a folder that outlives its container.
is_mounted() {
    printf '%s\n' "$mounted" | while IFS= read -r folder; do
        [ -n "$folder" ] || continue
        case $1/ in "${folder%/}"/*) echo yes && break ;; esac
    done | grep -q yes
}

if [ -n "$root" ] && ! is_mounted "$root"; then
    refuse "storage: nothing is mounted at $root, so each task has images of its own, which go with it"
fi
if [ -n "${REGISTRY_PROXY_REMOTEURL:-}" ] || has remoteurl; then
    refuse "proxy: it is a pull-through cache, which writes even when it is read-only"
fi
cache=${REGISTRY_STORAGE_CACHE_BLOBDESCRIPTOR:-$(setting blobdescriptor)}
if [ "${cache:-$(setting layerinfo)}" = redis ] && [ -z "$redis" ]; then
    refuse "redis: the registry keeps in redis what it knows of blobs, and would take collected ones to be there"
fi

work=$(mktemp -d)

# prove: a registry with this configuration and this environment refuses to write. It is started beside the others, on
# loopback, without what only the outside needs, and with an empty folder where the storage is one.
prove() {
    mkdir "$work/images"
    (
        for name in $(env | sed -nE 's/^(REGISTRY_(AUTH|HTTP_TLS|HTTP_DEBUG|NOTIFICATIONS)(_[A-Z0-9_]*)?)=.*/\1/p'); do
            unset "$name"
        done
        [ -z "$root" ] || export REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY="$work/images"
        export REGISTRY_HTTP_ADDR=127.0.0.1:5099 REGISTRY_HTTP_NET=tcp REGISTRY_HTTP_PREFIX='' \
            REGISTRY_HTTP_TLS='{}' REGISTRY_HTTP_DEBUG='{}' REGISTRY_NOTIFICATIONS='{}' \
            REGISTRY_AUTH='{silly: {realm: proof, service: proof}}'
        exec "$program" serve "$config"
    ) >"$work/log" 2>&1 &
    proof=$! outcome=
    for _ in $(seq 150); do
        if answer=$(wget -O /dev/null --header 'Authorization: proof' --post-data '' \
            http://127.0.0.1:5099/v2/proof/blobs/uploads/ 2>&1); then
            outcome=writable
        else
            case $answer in *" 405"*) outcome=read-only ;; esac
        fi
        [ -z "$outcome" ] && kill -0 "$proof" 2>/dev/null || break
        sleep 0.2
    done
    kill "$proof" 2>/dev/null
    wait "$proof" 2>/dev/null
    case $outcome in
    read-only) say "read-only" ;;
    writable) refuse "read-only: the registry goes on writing although it is told to be read-only" ;;
    *)
        tail -n 5 "$work/log"
        refuse "read-only: it could not be proven that the registry is read-only: $answer"
        ;;
    esac
}

# redis_says COMMAND: after the login, which the secret has. Redis answers nothing but +OK and +PONG where all is well.
redis_says() {
    command -v nc >/dev/null || refuse "redis: the image has no nc to talk to redis with"
    {
        cat /run/secrets/garbage-collection-redis
        printf '*1\r\n$%d\r\n%s\r\n*1\r\n$4\r\nQUIT\r\n' "${#1}" "$1"
    } | nc -w 10 "${redis%:*}" "${redis##*:}" >"$work/redis" 2>&1
    if ! grep -q '^+OK' "$work/redis" || grep -q '^[^+]' "$work/redis"; then
        refuse "redis: $redis did not do $1: $(grep '^[^+]' "$work/redis" | head -n 1 | tr -d '\r' | cut -c 1-200)"
    fi
}

# blobs: how many there are, and how many bytes they have.
blobs() {
    if [ ! -d "$root/docker/registry/v2/blobs" ]; then echo 0 0 && return; fi
    find "$root/docker/registry/v2/blobs" -type f -name data -exec stat -c %s {} + |
        awk '{ count++; bytes += $1 } END { printf "%.0f %.0f\n", count, bytes }'
}

# collect OPTION...: what the program says is shortened to what a person wants to follow, and its last lines if it failed.
collect() {
    {
        "$program" garbage-collect "$@" "$config" 2>&1
        # Its last line may have no end.
        printf '\n::ended %s\n' $?
    } |
        awk -v eligible="$work/eligible" -v swept="$work/swept" -v blobs="$root/docker/registry/v2/blobs/" '
            /^::ended / { status = $2; next }
            /^blob eligible for deletion: / {
                split($5, digest, ":")
                print blobs digest[1] "/" substr(digest[2], 1, 2) "/" digest[2] "/data" > eligible
                if (++deleted % 50 == 0) { print "::deleting " deleted " " total; fflush() }
                next
            }
            / blobs marked, .* eligible for deletion$/ {
                total = $4
                print "::marked " $1 " " total
                fflush()
                next
            }
            /: marking |level"?[:=]"?info|: layer link eligible|^manifest eligible|^$/ { next }
            /^[a-z0-9][a-z0-9._\/-]*$/ { print "::repository " $1; fflush(); next }
            # Nothing was ever pushed.
            /failed to mark: .*[Pp]ath not found: \/docker\/registry\/v2\/repositories$/ { empty = 1; next }
            { last[++lines] = $0 }
            END {
                if (empty) status = 0
                if (status != 0) for (i = lines > 10 ? lines - 9 : 1; i <= lines; i++) print last[i]
                print deleted + 0, status > swept
            }'
    read -r deleted status <"$work/swept"
    [ "$status" = 0 ] || refuse "collection: $program garbage-collect ended with status $status"
}

case $task in
check)
    # The last word of `registry PACKAGE v3.1.1`, or of `registry PACKAGE 2.8.2+ds1`.
    say "version $("$program" --version 2>&1 | awk 'END { sub(/^v/, "", $NF); print $NF }')"
    prove
    [ -z "$redis" ] || redis_says PING
    ;;
dry-run)
    : >"$work/eligible"
    collect --dry-run "$@"
    bytes=
    [ -z "$root" ] || bytes=$(xargs stat -c %s <"$work/eligible" | awk '{ bytes += $1 } END { printf "%.0f", bytes }')
    say "collected $deleted $bytes"
    ;;
collect)
    prove
    [ -z "$root" ] || before=$(blobs)
    collect "$@"
    if [ -n "$root" ]; then
        # What is gone is what counts, whatever the program said.
        after=$(blobs)
        deleted=$((${before% *} - ${after% *})) bytes=$((${before#* } - ${after#* }))
    fi
    say "collected $deleted ${bytes:-}"
    ;;
flush) redis_says FLUSHDB ;;
esac
say "done"
