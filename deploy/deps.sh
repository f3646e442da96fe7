#!/bin/bash
# Installs what Tocsin needs on Debian 12 and is missing: deploy/deps.sh KIND...
#
#   build   compiler and libraries           (make, make demo)
#   test    cmocka, python3                  (make test)
#   habits  clang, ctags                     (make asan, fuzz, layers, shape, format)
#   peer    Prometheus and Alertmanager, unpacked into build/peers, not installed: no service is started; only
#           Alertmanager's default templates go where its binary expects them
#
# Prints what it does before it does it; does nothing, and needs no rights, when nothing is missing.
set -euo pipefail
cd "$(dirname "$0")/.."

packages() { awk -v kind="$1" '$1 == kind { print $2 }' deploy/packages; }
installed() { [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; return; fi
    command -v sudo >/dev/null || { echo "deps: needs root or sudo for: $*" >&2; exit 1; }
    sudo "$@"
}

refresh() { # the package lists, once a run
    [ -z "${refreshed:-}" ] || return 0
    echo "deps: reading Debian's package lists"
    as_root apt-get update -qq
    refreshed=yes
}

install_missing() {
    local missing=() p
    for p in $(packages "$1"); do installed "$p" || missing+=("$p"); done
    [ ${#missing[@]} -gt 0 ] || return 0
    refresh
    echo "deps: installing ${missing[*]}"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >build/deps.log 2>&1 ||
        { tail -n 20 build/deps.log >&2; echo "deps: installing failed; the whole output is in build/deps.log" >&2; exit 1; }
}

unpack_peer() {
    local p=$1
    [ ! -e "build/peers/.$p" ] || return 0
    refresh
    echo "deps: unpacking $p into build/peers"
    mkdir -p build/peers/deb
    rm -f build/peers/deb/"$p"_*.deb
    (cd build/peers/deb && apt-get download -qq "$p" 2>/dev/null)
    dpkg-deb -x build/peers/deb/"$p"_*.deb build/peers
    touch "build/peers/.$p"
}

# Debian's Alertmanager reads its default templates from a fixed place, wherever its binary lies.
place_templates() {
    local at=/usr/share/prometheus/alertmanager
    [ ! -e $at/email.tmpl ] || return 0
    echo "deps: putting Alertmanager's default templates into $at, where its binary looks for them"
    as_root install -d $at
    as_root install -m 644 build/peers$at/*.tmpl $at/
}

command -v dpkg-query >/dev/null && command -v apt-get >/dev/null ||
    { echo "deps: this is not Debian; install what docs/dependencies.md lists by hand" >&2; exit 0; }
mkdir -p build
for kind; do
    case $kind in
    peer)
        for p in $(packages peer); do unpack_peer "$p"; done
        place_templates
        ;;
    build | test | habits) install_missing "$kind" ;;
    *) echo "deps: unknown kind $kind (build, test, habits, peer)" >&2; exit 2 ;;
    esac
done
