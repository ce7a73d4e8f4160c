# Sourced by the scripts of this folder: what they have in common.

set -euo pipefail

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# What the script does next, on stderr.
say() {
    printf '==> %s\n' "$*" >&2
}

# The one line that a script fails with.
fail() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

need_root() {
    [ "$(id -u)" = 0 ] || fail "must run as root: sudo hack/${0##*/}"
}

need_swift() {
    command -v swift >/dev/null || fail "there is no swift in PATH: install Swift 6.3 or newer from https://swift.org/install"
}

# Runs a command whose output matters only if it fails.
quietly() {
    local output
    output=$("$@" 2>&1) || {
        printf '%s\n' "$output" >&2
        fail "failed: $*"
    }
}
