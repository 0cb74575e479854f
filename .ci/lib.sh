# Shared steps of the scripts in this folder. Source it; it runs nothing by itself.

REPOSITORY=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CACHE_FOLDER=${XDG_CACHE_HOME:-$HOME/.cache}/learnable-smplify-blender

# Where this is set, each of the hundreds of Pythons of the tests would compile the sources again.
unset PYTHONDONTWRITEBYTECODE

say() { printf '%s\n' "$*"; }

fail() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# stage NAME COMMAND...: run a step and print how long it took; its failure ends the script.
stage() {
    local name=$1 started=$SECONDS
    shift
    say "== $name"
    "$@"
    say "== $name: done in $((SECONDS - started)) s"
}

can_install_packages() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }

# install_packages NAME...: install Debian or Ubuntu packages.
install_packages() {
    say "installing system packages: $*"
    export DEBIAN_FRONTEND=noninteractive
    local install=(apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=600)
    "${install[@]}" "$@" >/dev/null 2>&1 && return
    apt-get update -qq -o DPkg::Lock::Timeout=600
    "${install[@]}" "$@" >/dev/null
}

# find_python VERSION: print the path of that Python (3.11, 3.13), or nothing.
find_python() {
    local version=$1 candidate
    for candidate in "python$version" "$HOME"/.pyenv/versions/"$version".*/bin/python /usr/local/bin/"python$version" \
        /usr/bin/"python$version" python3; do
        candidate=$(command -v "$candidate") || continue
        # A version manager's shim exists for versions that are not selected, so each candidate is asked.
        if "$candidate" -c "import sys; sys.exit(sys.version_info[:2] != tuple(map(int, '$version'.split('.'))))" \
            >/dev/null 2>&1; then
            "$candidate" -c 'import sys; print(sys.executable)'
            return
        fi
    done
}

# require_python VERSION: as find_python; tries the system's packages, else ends with an error that says what to do.
require_python() {
    local version=$1 found
    found=$(find_python "$version")
    if [ -z "$found" ] && can_install_packages; then
        install_packages "python$version" "python$version-venv" >&2 || true
        found=$(find_python "$version")
    fi
    [ -n "$found" ] || fail "expected Python $version, found none on PATH or in pyenv; install it" \
        "(Debian 12: apt-get install python3.11 python3.11-venv; others: pyenv install $version)" \
        "and run this again"
    say "$found"
}

# make_environment FOLDER PYTHON FILE...: a virtual environment with the requirement files, installed in that order,
# under constraints.txt. Does nothing when it already holds just these. Sources are compiled when they are first imported:
# most of PyTorch's and Blender's never are.
make_environment() {
    local folder=$1 python=$2 wanted file
    shift 2
    wanted=$({ printf '%s\n' "$folder" "$python" "$@"; "$python" -V; cat "$REPOSITORY"/{constraints,requirements/*}.txt; } | sha256sum)
    if [ -x "$folder/bin/python" ] && [ "$(cat "$folder/.requirements-hash" 2>/dev/null)" = "$wanted" ]; then
        say "$folder: up to date"
        return
    fi
    rm -rf "$folder"
    if ! "$python" -m venv "$folder" >/dev/null 2>&1; then
        local package
        package=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
        can_install_packages || fail "$python has no venv module; install $package and run this again"
        install_packages "$package"
        rm -rf "$folder"
        "$python" -m venv "$folder"
    fi
    for file in "$@"; do
        say "installing $(basename "$file") into $folder"
        "$folder/bin/python" -m pip install -qq --disable-pip-version-check --no-input --no-compile \
            --only-binary :all: -c "$REPOSITORY/constraints.txt" -r "$file"
    done
    "$folder/bin/python" -m pip check --disable-pip-version-check
    printf '%s' "$wanted" >"$folder/.requirements-hash"
}

# library_package NAME: the Debian package that holds a shared library.
library_package() {
    case $1 in
        libX11.so.6) say libx11-6 ;;
        libXext.so.6) say libxext6 ;;
        libXrender.so.1) say libxrender1 ;;
        libXfixes.so.3) say libxfixes3 ;;
        libXi.so.6) say libxi6 ;;
        libXxf86vm.so.1) say libxxf86vm1 ;;
        libSM.so.6) say libsm6 ;;
        libICE.so.6) say libice6 ;;
        libxkbcommon.so.0) say libxkbcommon0 ;;
        libGL.so.1) say libgl1 ;;
        libEGL.so.1) say libegl1 ;;
        libgomp.so.1) say libgomp1 ;;
        libstdc++.so.6) say libstdc++6 ;;
        *) say "" ;;
    esac
}

# ensure_blender_libraries FOLDER: the shared libraries that the environment's bpy needs from the system.
ensure_blender_libraries() {
    local folder=$1 module missing library package packages=()
    module=$(find "$folder"/lib/python3.*/site-packages/bpy -maxdepth 1 -name '__init__*.so' | head -n 1)
    [ -n "$module" ] || fail "expected Blender's module (bpy) in $folder, found none; delete $folder and run this again"
    missing=$(ldd "$module" | awk '/not found/ { print $1 }' | sort -u)
    [ -n "$missing" ] || return 0
    for library in $missing; do
        package=$(library_package "$library")
        [ -n "$package" ] || fail "Blender needs $library, which this system lacks; install it and run this again"
        packages+=("$package")
    done
    can_install_packages || fail "Blender needs system libraries that are missing: $(echo $missing)." \
        "Install them (Debian, Ubuntu: sudo apt-get install ${packages[*]}) and run this again"
    install_packages "${packages[@]}"
    missing=$(ldd "$module" | awk '/not found/ { print $1 }' | sort -u)
    [ -z "$missing" ] || fail "Blender still lacks system libraries: $(echo $missing)"
}
