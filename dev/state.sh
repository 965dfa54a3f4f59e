# shellcheck shell=bash
# Where the local stack keeps its state. Sourced by install.sh and stack.

METERFLOW_STATE="${METERFLOW_STATE:-/var/tmp/meterflow}"
[[ "$METERFLOW_STATE" != /* ]] || METERFLOW_STATE="$(realpath -m "$METERFLOW_STATE")"
STATE_MARKER="$METERFLOW_STATE/.meterflow-state"

fail() {
    echo "${0##*/}: $*" >&2
    exit 1
}

# Makes the state folder ours, or refuses: a folder of somebody else's, or one with other things in
# it, must never be filled, and above all never be emptied by `reset`.
claim_state() {
    [[ "$METERFLOW_STATE" == /* ]] || fail "METERFLOW_STATE must be an absolute path, not '$METERFLOW_STATE'"
    if [[ ! -e "$METERFLOW_STATE" ]]; then
        mkdir -p "$METERFLOW_STATE"
        chmod 755 "$METERFLOW_STATE" # the user postgres has to get through
        : >"$STATE_MARKER"
    fi
    [[ -d "$METERFLOW_STATE" && ! -L "$METERFLOW_STATE" ]] || fail "$METERFLOW_STATE is not a folder"
    [[ -O "$METERFLOW_STATE" ]] || fail "$METERFLOW_STATE belongs to another user; set METERFLOW_STATE"
    if [[ ! -f "$STATE_MARKER" ]]; then
        [[ -z "$(ls -A "$METERFLOW_STATE")" ]] ||
            fail "$METERFLOW_STATE holds other things (no ${STATE_MARKER##*/} in it); set METERFLOW_STATE"
        : >"$STATE_MARKER"
    fi
}
