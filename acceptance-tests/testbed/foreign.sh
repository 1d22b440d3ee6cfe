# shellcheck shell=bash
# Clients of the provider that others have written and that are no packages of Debian. Each set of packages lies in a folder
# of its own in the cache: nothing is installed.

# foreign_folder KIND WHAT...: the folder of these packages.
foreign_folder() {
    printf '%s/%s-%s' "$cache" "$1" "$(printf '%s\n' "$@" | sha256sum | cut -c1-12)"
}

# foreign_make FOLDER COMMAND...: has COMMAND fill the folder, whose path it gets as its last argument, if it is not there.
foreign_make() {
    local folder=$1 work
    shift
    [[ ! -d $folder ]] || return 0
    mkdir -p "$cache"
    work=$(mktemp -d "$folder.XXXXXX")
    quietly "$@" "$work"
    # Another test may have made it meanwhile.
    mv --no-target-directory "$work" "$folder" 2>/dev/null || rm -rf -- "$work"
}

command_python() {
    (($#)) || die "python: which packages?"
    local folder
    folder=$(foreign_folder python "$(python3 --version)" "$@")
    if [[ ! -d $folder ]]; then
        python3 -m pip --version >/dev/null 2>&1 || packages_install python3-pip
        say "downloading $*"
    fi
    foreign_make "$folder" python3 -m pip install --quiet --disable-pip-version-check --no-warn-script-location \
        --only-binary=:all: "$@" --target
    printf '%s\n' "$folder"
}

command_node() {
    (($#)) || die "node: which packages?"
    local folder
    command -v npm >/dev/null || packages_install npm
    folder=$(foreign_folder node "$(node --version)" "$@")
    [[ -d $folder ]] || say "downloading $*"
    foreign_make "$folder" npm install --silent --no-audit --no-fund --no-update-notifier --ignore-scripts "$@" --prefix
    printf '%s\n' "$folder"
}
