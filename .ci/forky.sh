# shellcheck shell=bash
# Debian forky, whose rustc comes with std for aarch64 and wasm32. Sourced by their two checks.

forky() {
    need_debian_root forky
    debian forky rustc cargo gcc libc6-dev ca-certificates \
        libstd-rust-dev:arm64 gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user \
        libstd-rust-dev-wasm32 lld nodejs
    lay_checkout
}
