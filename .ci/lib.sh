# shellcheck shell=bash
# What the scripts beside this file share. Sourced, not run.
#
# A check has two phases. Until it says `ready` it sets up, and a command that fails means that this
# machine cannot have the check: `skipped: NAME (reason)`, exit status 0. After `ready`, or by
# `fail`, it is the code under test that failed.

set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
name=$(basename "$0")
# Debian folders and their build outputs, kept from run to run: outside the checkout, and safe to
# delete at any time.
cache=${HALFWAVE_CI_CACHE:-/var/tmp/halfwave-ci}

# For cargo, on an emulated processor: the kernels as users have them, and the tests around them compiled in less time.
quick_tests=(--config profile.release.opt-level=1 --config profile.release.package.halfwave-kernels.opt-level=3)

# doing WORDS: what the set-up is at, for the reason should it fail.
doing() {
    step=$1
    echo "$name: $step" >&2
}

skip() {
    echo "skipped: $name ($1)"
    trap - EXIT
    exit 0
}

ready() {
    trap - EXIT
}

fail() {
    echo "FAILED: $name ($1)"
    trap - EXIT
    exit 1
}

trap '
    # Above 128 it is a signal, hence somebody who wants this to stop, not a set-up that failed.
    status=$?
    if ((status > 0 && status < 128)); then
        [[ ! -s ${log-} ]] || tail -n 15 "$log" >&2
        skip "could not ${step-start}${log+; log: $log}"
    fi
' EXIT

# crates COMMAND...: runs a `cargo fetch --locked`. A stale Cargo.lock is no fault of the network.
crates() {
    local said
    doing "fetch the crates"
    said=$("$@" 2>&1) && return
    echo "$said" >&2
    [[ $said != *"lock file"* ]] || fail "its Cargo.lock is stale: run cargo update --workspace beside it"
    return 1
}

# quiet_setup [FOLDER]: the set-up's output goes to $log. One check at a time has the folder.
quiet_setup() {
    mkdir -p "$cache"
    log=$cache/$name.log
    : >"$log"
    exec {lock}>"$cache/${1-$name}.lock"
    flock "$lock"
}

# need_debian_root [SUITE]
need_debian_root() {
    [[ $(uname -sm) == "Linux x86_64" ]] || skip "needs Linux on x86-64"
    command -v apt-get >/dev/null || skip "needs apt-get, hence Debian"
    [[ $(id -u) == 0 ]] || skip "needs root, to install Debian packages and to chroot"
    quiet_setup "$@"
}

# provide PROGRAM PACKAGE: on this machine, unless the program is there.
provide() {
    command -v "$1" >/dev/null && return
    doing "install $2"
    apt-get -qq update &>>"$log"
    DEBIAN_FRONTEND=noninteractive apt-get -qq -y install "$2" &>>"$log"
}

# debian SUITE PACKAGE...: makes $folder that Debian with those packages. Built once per machine,
# under another name until it is whole; other packages make another folder.
debian() {
    local suite=$1 packages mirror
    shift
    packages=$(md5sum <<<"$*")
    folder=$cache/$suite-${packages:0:8}
    [[ ! -d $folder ]] || return 0

    # apt-get and dpkg are one check's at a time.
    local apt
    exec {apt}>"$cache/apt.lock"
    flock "$apt"
    provide debootstrap debootstrap
    doing "find the Debian mirror"
    # The machine's own; its index knows which source is Debian proper only after an update.
    mirror() {
        # shellcheck disable=SC2016 # expanded by apt-get
        apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian' | sort -u | head -n 1
    }
    mirror=$(mirror)
    if [[ -z $mirror ]]; then
        apt-get -qq update &>>"$log"
        mirror=$(mirror)
    fi
    [[ -n $mirror ]]

    local whole=$folder
    folder=$whole.unfinished
    rm -rf "$cache/$suite"-*
    doing "build a Debian $suite folder"
    # Suite `sid` names the script: older debootstraps have none for newer suites.
    unshare --mount timeout 900 debootstrap --variant=minbase \
        --keyring=/usr/share/keyrings/debian-archive-keyring.gpg \
        "$suite" "$folder" "$mirror" sid &>>"$log"
    # A mirror may be frozen, and its Release file then past its date.
    cat >"$folder/etc/apt/apt.conf.d/99ci" <<-'END'
		Acquire::Check-Valid-Until "false";
		APT::Install-Recommends "false";
	END
    if [[ $* == *:arm64* ]]; then
        inside dpkg --add-architecture arm64 &>>"$log"
    fi
    doing "install packages in the Debian $suite folder"
    inside apt-get -qq update &>>"$log"
    inside timeout 900 apt-get -qq -y install "$@" &>>"$log"
    mv "$folder" "$whole"
    folder=$whole
    exec {apt}>&-
}

# inside [VARIABLE=VALUE...] COMMAND...: runs it in $folder. The mounts are in a namespace of their
# own: they end with the command, however it ends, and nobody else ever sees them.
inside() {
    # The network is the machine's: its resolver, and the certificates it trusts.
    local file
    for file in /etc/resolv.conf /etc/ssl/certs/ca-certificates.crt; do
        [[ ! -e $file ]] || install -D -m 644 "$file" "$folder$file"
    done
    # shellcheck disable=SC2016 # expanded by the inner shell
    unshare --mount bash -c '
        set -e
        mount -t proc proc "$0/proc"
        mount --rbind /dev "$0/dev"
        exec chroot "$0" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
            DEBIAN_FRONTEND=noninteractive "$@"
    ' "$folder" "$@"
}

# Lays the checkout into $folder/work: what is tracked, and what is new and not ignored.
lay_checkout() {
    doing "copy the checkout"
    rm -rf "$folder/work"
    mkdir "$folder/work"
    # `-m`: every file new. Kept times could be older than the last build's, and cargo would then
    # test that build instead of these sources.
    (
        cd "$root"
        git ls-files -co --exclude-standard -z |
            while IFS= read -r -d '' file; do
                [[ ! -e $file ]] || printf '%s\0' "$file"
            done |
            tar -c --null -T - | tar -xm -C "$folder/work"
    ) &>>"$log"
}
