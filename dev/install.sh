#!/usr/bin/env bash
# Installs what the project needs on a Debian 12 that has a Swift toolchain. Says nothing when
# nothing is missing.
#
#   dev/install.sh [build|stack|test|bench]...     (default: the first three)
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=state.sh
. "$here/state.sh"

as_root=()
if [[ "$(id -u)" != 0 ]]; then
    as_root=(sudo)
fi
updated=no

installed() {
    [[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" == installed ]]
}

# Installs those of the named packages that are missing.
need() {
    local missing=() package
    for package in "$@"; do
        installed "$package" || missing+=("$package")
    done
    [[ ${#missing[@]} -gt 0 ]] || return 0
    echo "installing ${missing[*]}"
    if [[ $updated == no ]]; then
        "${as_root[@]}" apt-get -o DPkg::Lock::Timeout=300 -qq update
        updated=yes
    fi
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 \
        -qq -y --no-install-recommends install "${missing[@]}" >/dev/null
}

# Debian makes and starts a cluster with the package; ours is private and made by `dev/stack`.
need_postgres() {
    installed postgresql-15 && return 0
    need postgresql-common
    local conf=/etc/postgresql-common/createcluster.conf
    if ! grep -Eqs '^create_main_cluster *= *false' "$conf"; then
        echo "create_main_cluster = false" | "${as_root[@]}" tee -a "$conf" >/dev/null
    fi
    need postgresql-15
}

# Prints a Python that chdb-core runs on (3.9 or later) and that can make a private environment.
find_python() {
    local name
    for name in /usr/bin/python3 python3 python3.13 python3.12 python3.11 python3.10 python3.9; do
        if "$name" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 9))' 2>/dev/null; then
            command -v "$name"
            return 0
        fi
    done
    return 1
}

need_engine() {
    local venv="$METERFLOW_STATE/venv" python
    claim_state
    # The copy of the requirements is written last: it is there only after a complete installation.
    if cmp -s "$here/requirements.txt" "$venv/installed.txt" && "$venv/bin/python" -c '' 2>/dev/null; then
        return 0
    fi
    if ! python="$(find_python)"; then
        need python3 python3-venv
        python="$(find_python)" || fail "no Python 3.9 or later with venv, not even from Debian"
    fi
    echo "installing chdb-core (the ClickHouse engine, 550 MB on disk) into $venv"
    rm -rf "$venv"
    "$python" -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps \
        -r "$here/requirements.txt"
    cp "$here/requirements.txt" "$venv/installed.txt"
}

# One tool out of a package whose service we do not want to have started.
need_promtool() {
    local tools="$METERFLOW_STATE/tools" folder
    if command -v promtool >/dev/null || [[ -x "$tools/promtool" ]]; then
        return 0
    fi
    claim_state
    echo "installing promtool into $tools"
    [[ $updated == yes ]] || "${as_root[@]}" apt-get -o DPkg::Lock::Timeout=300 -qq update
    updated=yes
    folder="$(mktemp -d)"
    (cd "$folder" && apt-get -o APT::Sandbox::User=root -qq download prometheus && dpkg-deb -x prometheus_*.deb .)
    mkdir -p "$tools"
    mv "$folder/usr/bin/promtool" "$tools/promtool"
    rm -rf "$folder"
}

install_part() {
    case "$1" in
        build) need libcurl4-openssl-dev libpq-dev libssl-dev zlib1g-dev pkg-config ;;
        stack)
            need_postgres
            need curl util-linux ca-certificates
            need_engine
            ;;
        test)
            need nghttp2-server openssl systemd chromium chromium-driver
            need_promtool
            ;;
        bench) need wrk ;;
        *) fail "unknown part '$1' (there are: build, stack, test, bench)" ;;
    esac
}

for part in "${@:-build stack test}"; do
    # shellcheck disable=SC2086 # the default is three words
    for name in $part; do
        install_part "$name"
    done
done
